"""The checkpoints that the page serves."""

import contextlib
import copy
import dataclasses
import itertools
import logging
import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import i2i_models as i2i
from i2i_models import checkpoints
from i2i_models.inference.engine import OpenVINOEngine, graphs_made_apart
from i2i_models.inference.remote import RemoteNetworks, load_remote
from ui import text
from ui.errors import BadRequest
from ui.pool import Pool

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Networks that run at the same time; more would only slow each other down on two cores."""


class Catalog:
    """Which checkpoints there are, by name, and the pool in which their networks run.

    It keeps nothing of visitors, and any number of threads may use it at once.
    """

    def __init__(self, folder: Path, more: Sequence[str] = (), elsewhere: RemoteNetworks | None = None) -> None:
        """Find every checkpoint in `folder`, and `more` by folder or Hub id.

        One that cannot be loaded is left out with a logged line. Weights are read later, by `warm` or by the first
        question.

        Args:
            elsewhere: where the networks run, if not in this process.
        """
        self.folder = folder
        self.pool = Pool(elsewhere.at_once if elsewhere else AT_ONCE)
        self.is_warm = False
        self._elsewhere = elsewhere
        self.is_shared = True
        """Whether every visitor may name its checkpoints."""
        self._warming: threading.Thread | None = None
        self._stopping = threading.Event()
        self._changing = threading.Lock()
        self._warmed: weakref.WeakSet[i2i.Translator] = weakref.WeakSet()
        paths = i2i.find_checkpoints(folder)
        self._known = self._seen = _states({path.name: path for path in paths})
        sources: list[str | Path] = [*paths, *more]
        found = (self._load(source) for source in sources)
        self.translators: Mapping[str, i2i.Translator] = {t.info.name: t for t in found if t is not None}
        """By name. Another mapping whenever a checkpoint came or went."""
        self.listed: Mapping[str, i2i.Translator] = self.translators
        """Those whom the tabs list of a page that is opened now."""
        if not self.translators:
            log.warning("no checkpoint could be loaded from %s", folder.resolve())

    def _load(self, source: str | Path, name: str | None = None) -> i2i.Translator | None:
        """A translator, called `name` if that is not its folder's; None and a logged line if it cannot be loaded."""
        try:
            translator = load_remote(source, self._elsewhere.call) if self._elsewhere else i2i.load(source, lazy=True)
        except Exception as error:
            # One folder, whatever is in it, must not keep the others from being served.
            shown = source.name if isinstance(source, Path) else source
            log.warning("left out %s: %s", shown, error, exc_info=not isinstance(error, i2i.I2IError))
            return None
        if name is not None:
            translator.info = dataclasses.replace(translator.info, name=name)
        return translator

    def look_again(self, tried: Mapping[str, Path] | None = None) -> None:
        """Serve what is new in the folder or has changed, and let go of what is gone.

        A checkpoint counts once two looks have found it the same, since the first may have seen half of it.

        Args:
            tried: folders of further checkpoints by the names that they shall have, where the folder has none of them.
        """
        paths = {**(tried or {}), **{path.name: path for path in i2i.find_checkpoints(self.folder)}}
        seen, before = _states(paths), self._seen
        self._seen = seen
        changed = {name: state for name, state in seen.items() if before.get(name) == state != self._known.get(name)}
        gone = self._known.keys() - seen.keys()
        if not changed and not gone:
            return
        loaded = {name: self._load(state.folder, name) for name, state in changed.items()}
        self._known = {**{name: state for name, state in self._known.items() if name not in gone}, **changed}
        new = {name: translator for name, translator in loaded.items() if translator is not None}
        with self._changing:
            kept = {name: t for name, t in self.translators.items() if name not in gone | changed.keys()}
            self.translators = {**kept, **new}

    def named(self, name: Any) -> i2i.Translator:
        """The translator of a checkpoint.

        Raises:
            BadRequest: there is none of that name.
        """
        translator = self.translators.get(name) if isinstance(name, str) else None
        if translator is None:
            raise BadRequest(text.SERVER["unknown_checkpoint"].format(name=str(name)[:60]))
        return translator

    def only(self, translator: i2i.Translator) -> "Catalog":
        """A catalog of one translator, which need not be in this catalog. Both share the pool."""
        catalog = copy.copy(self)
        catalog.translators, catalog.is_shared = {translator.info.name: translator}, False
        return catalog

    def warm(self) -> threading.Thread:
        """Translate a blank image with each checkpoint in a thread, so that no visitor waits for the first time.

        A checkpoint whose weights turn out to be damaged is left out from then on.
        """
        self._warming = threading.Thread(target=self._warm, name="warm-up", daemon=True)
        self._warming.start()
        return self._warming

    def warm_new(self) -> None:
        """Do the same for those that came after the first warm-up, if it has ended and none runs."""
        if self.is_warm and self._cold() and not (self._warming and self._warming.is_alive()):
            self.warm()

    def stop_warming(self, patience: float) -> None:
        """Stop the warm-up, and wait for it as many seconds: a process must not end while a network runs in it."""
        self._stopping.set()
        if self._warming is not None:
            self._warming.join(patience)

    def _cold(self) -> list[i2i.Translator]:
        return [t for t in self.translators.values() if t not in self._warmed]

    def _warm(self) -> None:
        while (cold := self._cold()) and not self._stopping.is_set():
            self._warmed.update(cold)
            self._warm_up(cold)
        self.is_warm = self.is_warm or not self._stopping.is_set()

    def _warm_up(self, translators: Iterable[i2i.Translator]) -> None:
        folders = [t.folder for t in self._until_stopped(translators) if t.folder and _lacks_graphs(t)]
        if folders:
            with graphs_made_apart(folders) as process:
                self._translate_blanks(translators)
                while process.poll() is None and not self._stopping.wait(0.1):
                    pass
                process.terminate()
        self._translate_blanks(translators)

    def _until_stopped(self, translators: Iterable[i2i.Translator]) -> Iterator[i2i.Translator]:
        return itertools.takewhile(lambda _: not self._stopping.is_set(), translators)

    def _translate_blanks(self, translators: Iterable[i2i.Translator]) -> None:
        for translator in self._until_stopped(translators):
            name = translator.info.name
            try:
                for direction in translator.directions:
                    with self.pool.slot():
                        translator.warm_up(direction)
            except i2i.CheckpointError as error:
                log.warning("left out %s: %s", name, error)
                # A new dict: a request may be going through the old one.
                with self._changing:
                    self.translators = {n: other for n, other in self.translators.items() if other is not translator}
            except Exception:
                log.exception("warming up %s failed", name)


@dataclasses.dataclass(frozen=True)
class _State:
    """A checkpoint's files, as far as they decide what it answers: another state is another checkpoint."""

    folder: Path
    files: tuple[tuple[int, int, int], ...]
    """Time, size and number of config and weights."""


def _states(folders: Mapping[str, Path]) -> dict[str, _State]:
    found = {}
    for name, folder in folders.items():
        with contextlib.suppress(OSError):  # gone, or not whole yet
            files = [(folder / file).stat() for file in (checkpoints.CONFIG, checkpoints.WEIGHTS)]
            found[name] = _State(folder, tuple((f.st_mtime_ns, f.st_size, f.st_ino) for f in files))
    return found


def _lacks_graphs(translator: i2i.Translator) -> bool:
    try:
        engine = translator.engine
    except i2i.CheckpointError:
        return False  # the first translation says so and leaves it out
    return isinstance(engine, OpenVINOEngine) and not engine.is_kept()
