"""The checkpoints that the page serves."""

import copy
import itertools
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import i2i_models as i2i
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
        self.is_shared = True
        """Whether every visitor may name its checkpoints."""
        self._warming: threading.Thread | None = None
        self._stopping = threading.Event()
        found: dict[str, i2i.Translator] = {}
        sources: list[str | Path] = [*i2i.find_checkpoints(folder), *more]
        for source in sources:
            try:
                translator = load_remote(source, elsewhere.call) if elsewhere else i2i.load(source, lazy=True)
            except Exception as error:
                # One folder, whatever is in it, must not keep the others from being served.
                name = source.name if isinstance(source, Path) else source
                log.warning("left out %s: %s", name, error, exc_info=not isinstance(error, i2i.I2IError))
            else:
                found[translator.info.name] = translator
        self.translators: Mapping[str, i2i.Translator] = found
        if not found:
            log.warning("no checkpoint could be loaded from %s", folder.resolve())

    def named(self, name: Any) -> i2i.Translator:
        """The translator of a checkpoint.

        Raises:
            BadRequest: there is none of that name.
        """
        translator = self.translators.get(name) if isinstance(name, str) else None
        if translator is None:
            raise BadRequest(text.SERVER["unknown_checkpoint"].format(name=str(name)[:60]))
        return translator

    def add(self, folder: Path) -> None:
        """Serve one more checkpoint to whoever names it; tabs offer it when the page is built anew.

        Raises:
            CheckpointError: it cannot be loaded.
        """
        translator = i2i.load(folder, lazy=True)
        self.translators = {**self.translators, translator.info.name: translator}

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

    def stop_warming(self, patience: float) -> None:
        """Stop the warm-up, and wait for it as many seconds: a process must not end while a network runs in it."""
        self._stopping.set()
        if self._warming is not None:
            self._warming.join(patience)

    def _warm(self) -> None:
        folders = [t.folder for t in self._until_stopped() if t.folder and _lacks_graphs(t)]
        if folders:
            with graphs_made_apart(folders) as process:
                self._translate_blanks()
                while process.poll() is None and not self._stopping.wait(0.1):
                    pass
                process.terminate()
        self._translate_blanks()
        self.is_warm = not self._stopping.is_set()

    def _until_stopped(self) -> Iterator[i2i.Translator]:
        return itertools.takewhile(lambda _: not self._stopping.is_set(), self.translators.values())

    def _translate_blanks(self) -> None:
        for translator in self._until_stopped():
            name = translator.info.name
            try:
                for direction in translator.directions:
                    with self.pool.slot():
                        translator.warm_up(direction)
            except i2i.CheckpointError as error:
                log.warning("left out %s: %s", name, error)
                # A new dict: a request may be going through the old one.
                self.translators = {kept: other for kept, other in self.translators.items() if kept != name}
            except Exception:
                log.exception("warming up %s failed", name)


def _lacks_graphs(translator: i2i.Translator) -> bool:
    try:
        engine = translator.engine
    except i2i.CheckpointError:
        return False  # the first translation says so and leaves it out
    return isinstance(engine, OpenVINOEngine) and not engine.is_kept()
