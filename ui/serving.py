"""Between the page and the translators: loads and warms checkpoints, reads visitors' bytes, turns errors into words.

Nothing here is kept per visitor; every function may run in several threads at once.
"""

import copy
import functools
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageStat

import i2i_models as i2i
from i2i_models.abilities import Direction
from i2i_models.engine import OpenVINOEngine, graphs_made_apart
from i2i_models.remote import Elsewhere, load_remote
from ui import i18n, text
from ui.memory import CodeMemory, Memory, image_key
from ui.payload import (
    BadRequest,
    read_image,
    read_image_url,
    read_mapping,
    read_seed,
    read_share,
    read_style,
    read_switch,
    read_temperature,
    to_data_url,
    to_live_url,
)

log = logging.getLogger(__name__)

AT_ONCE = 2
"""Networks that run at the same time; more would only slow each other down on two cores."""
SHOWN_SIDE = 512
"""Side in pixels at which a visitor's picture is shown in the editor."""
REMEMBERED_BYTES, REMEMBERED = 48_000_000, 1000
"""Bounds of the memory of codes, which all visitors share; a code is about half a megabyte."""
REMEMBERED_ANSWERS = 16_000_000, 4000
"""The same for answers: a picture takes about ten kilobytes."""

Answer = dict[str, Any]


class Forgotten(i2i.I2IError):
    """A key whose codes are not kept any more: the page sends the image instead."""


class Asked(NamedTuple):
    """What a payload asks for: codes to be decoded, `chosen` style, seed and temperature, and the answer's keys."""

    translator: i2i.Translator
    codes: i2i.Codes
    chosen: dict[str, Any]
    keys: dict[str, str]


class Stopwatch:
    """The milliseconds that networks took for one answer, waiting for a turn not counted."""

    ms = 0.0

    @property
    def shown(self) -> float:
        """Rounded for people."""
        return round(self.ms, 1) if self.ms < 10 else round(self.ms)


class Catalog:
    """The checkpoints that this page serves."""

    def __init__(self, folder: Path, more: Sequence[str] = (), elsewhere: Elsewhere | None = None) -> None:
        """Load every checkpoint in `folder`, and `more`: others' folders and Hub ids; run them here or `elsewhere`.

        One that cannot be loaded is left out with a logged line.
        """
        self.folder = folder
        self._elsewhere = elsewhere
        self.translators: dict[str, i2i.Translator] = {}
        self.is_warm = False
        self._memory = CodeMemory(REMEMBERED_BYTES, REMEMBERED)
        self._answers: Memory[Answer] = Memory(*REMEMBERED_ANSWERS, _characters)
        self._turns = threading.BoundedSemaphore(elsewhere.at_once if elsewhere else AT_ONCE)
        sources: list[str | Path] = [*i2i.find_checkpoints(folder), *more]
        for source in sources:
            try:
                translator = load_remote(source, elsewhere.call) if elsewhere else i2i.load(source, lazy=True)
            except Exception as error:
                # One folder, whatever is in it, must not keep the others from being served.
                name = source.name if isinstance(source, Path) else source
                log.warning("left out %s: %s", name, error, exc_info=not isinstance(error, i2i.I2IError))
            else:
                self.translators[translator.info.name] = translator
        if not self.translators:
            log.warning("no checkpoint could be loaded from %s", folder.resolve())

    def alone(self, translator: i2i.Translator) -> "Catalog":
        """A catalog of this one translator, for a visitor to whom it belongs: it takes turns with those here.

        It remembers by itself: names are unique within one catalog only.
        """
        catalog = copy.copy(self)
        catalog.translators = {translator.info.name: translator}
        catalog._memory = CodeMemory(REMEMBERED_BYTES // 8, REMEMBERED)
        catalog._answers = Memory(REMEMBERED_ANSWERS[0] // 8, REMEMBERED_ANSWERS[1], _characters)
        return catalog

    def paired(self) -> list[i2i.Translator]:
        """The translators whose method learned from pairs."""
        return [t for t in self.translators.values() if t.abilities.paired]

    def unpaired(self) -> list[i2i.Translator]:
        """The translators whose method learned without pairs and gives one result for one input."""
        return [t for t in self.translators.values() if not t.abilities.paired and t.abilities.chance != "style"]

    def multimodal(self) -> list[i2i.Translator]:
        """The translators that give another result for every style."""
        return [t for t in self.translators.values() if not t.abilities.paired and t.abilities.chance == "style"]

    def warm(self) -> threading.Thread:
        """Translate a blank sheet with each checkpoint in the background, so that no visitor is the first.

        One whose weights turn out to be damaged is not served any longer.
        """
        thread = threading.Thread(target=self._warm, name="warm-up", daemon=True)
        thread.start()
        return thread

    def _warm(self) -> None:
        folders = [t.folder for t in list(self.translators.values()) if t.folder and _lacks_graphs(t)]
        if folders:
            with graphs_made_apart(folders):
                self._translate_blanks()
        self._translate_blanks()
        self.is_warm = True

    def _translate_blanks(self) -> None:
        for name, translator in list(self.translators.items()):
            try:
                for direction in translator.directions:
                    with self.turn():
                        translator.warm_up(direction)
            except i2i.CheckpointError as error:
                log.warning("left out %s: %s", name, error)
                del self.translators[name]
            except Exception:
                log.exception("warming up %s failed", name)

    @contextmanager
    def turn(self, watch: Stopwatch | None = None) -> Iterator[None]:
        """Wait until fewer than `AT_ONCE` networks run, here; every use of a network happens inside one.

        Args:
            watch: adds up what the turn took.
        """
        with self._turns:
            start = time.perf_counter()
            try:
                yield
            finally:
                if watch is not None:
                    watch.ms += (time.perf_counter() - start) * 1000

    def named(self, name: Any) -> i2i.Translator:
        """The translator of the checkpoint of that name."""
        translator = self.translators.get(name) if isinstance(name, str) else None
        if translator is None:
            raise BadRequest(text.SERVER["unknown_checkpoint"].format(name=str(name)[:60]))
        return translator

    def find(self, payload: Mapping[str, Any]) -> tuple[i2i.Translator, Direction]:
        """The translator and direction that a payload names."""
        translator = self.named(payload.get("checkpoint"))
        direction = payload.get("direction")
        if direction not in translator.directions:
            raise BadRequest(text.SERVER["bad_direction"].format(title=translator.info.title))
        return translator, direction

    def codes(self, payload: Any, watch: Stopwatch | None = None) -> tuple[i2i.Translator, i2i.Codes, str]:
        """What a network's encoder finds in an image, kept for the next question about the same image.

        Args:
            payload: `checkpoint`, `direction` and `image` (data URL), `key` (of an earlier answer) or both.
            watch: adds up the encoder's time, if it had to run.

        Returns:
            The translator, the codes and the key by which they may be asked for again.

        Raises:
            Forgotten: a key alone, whose codes are not there (any more).
            I2IError: anything else that is wrong with the payload.
        """
        payload = read_mapping(payload)
        translator, direction = self.find(payload)
        return translator, *self._codes_of(translator, direction, payload, watch)

    def _codes_of(
        self, translator: i2i.Translator, direction: Direction, source: Mapping[str, Any], watch: Stopwatch | None
    ) -> tuple[i2i.Codes, str]:
        key, url = source.get("key"), source.get("image")
        if isinstance(key, str):
            codes = self._memory.get((translator.info.name, direction, key))
            if codes is not None:
                return codes, key
            if url is None:
                raise Forgotten(text.SERVER["forgotten"])

        def encode() -> i2i.Codes:
            image = read_image(url)
            with self.turn(watch):
                return translator.encode(image, direction)

        # Under the image's own key, whatever key came with it: nobody can plant codes under another's.
        key = image_key(read_image_url(url))
        return self._memory.get_or_make((translator.info.name, direction, key), encode), key

    def translate(self, payload: Any) -> Answer:
        """Answer a drawing.

        Args:
            payload: as for `codes`, and further, all optional:
                `seed` (None: no chance), `temperature` (0 … 3), `style` (list of numbers);
                `second` ({`image` or `key`}) and `share` (0 … 1): decode codes on the way from this image to
                a second one, for networks whose codes may be mixed;
                `way_back`: also translate the result back.

        Returns:
            `image`, a data URL of the drawing's size; `ms`, the time that networks took; `key`;
            `second_key` and `back` (data URL) where they were asked for.
        """
        payload = read_mapping(payload)
        watch = Stopwatch()
        translator, codes, chosen, keys = self.asked(payload, watch)
        way_back = read_switch(payload.get("way_back"))

        def decode() -> Answer:
            with self.turn(watch):
                result = translator.decode(codes, **chosen)
            answer: Answer = {**keys, "image": to_live_url(result)}
            if way_back:
                answer["back"] = to_live_url(self._way_back(translator, result, codes.direction, watch))
            return {**answer, "ms": watch.shown}

        style = None if chosen["style"] is None else tuple(chosen["style"].tolist())
        share = payload.get("share") if "second_key" in keys else None
        how = (*keys.values(), share, style, chosen["seed"], chosen["temperature"], way_back)
        return self._answers.get_or_make((translator.info.name, codes.direction, *how), decode)

    def asked(self, payload: Any, watch: Stopwatch | None = None) -> Asked:
        """What is to be decoded, and how, read off a payload as for `translate`; the encoder runs if it has to."""
        payload = read_mapping(payload)
        chosen = {
            "style": read_style(payload.get("style")),
            "seed": read_seed(payload.get("seed")),
            "temperature": read_temperature(payload.get("temperature")),
        }
        translator, codes, key = self.codes(payload, watch)
        if chosen["style"] is not None and translator.abilities.chance != "style":
            raise BadRequest(text.SERVER["no_style"])
        keys = {"key": key}
        if payload.get("second") is not None:
            codes, keys["second_key"] = self._between(translator, codes, payload, watch)
        return Asked(translator, codes, chosen, keys)

    def _between(
        self, translator: i2i.Translator, codes: i2i.Codes, payload: Mapping[str, Any], watch: Stopwatch | None
    ) -> tuple[i2i.Codes, str]:
        """The codes `share` of the way from `codes` to those of the payload's second image, and its key."""
        if not translator.abilities.mixes_codes:
            raise BadRequest(text.SERVER["no_interpolation"])
        share = read_share(payload.get("share"))
        second, key = self._codes_of(translator, codes.direction, read_mapping(payload["second"]), watch)
        return codes.mixed(second, share), key

    def _way_back(
        self, translator: i2i.Translator, result: Image.Image, direction: Direction, watch: Stopwatch
    ) -> Image.Image:
        """A result, as it is shown, translated back into the domain that it came from."""
        back: Direction = "B2A" if direction == "A2B" else "A2B"
        if back not in translator.directions:
            raise BadRequest(text.SERVER["no_way_back"])
        with self.turn(watch):
            return translator.translate(result, back)

    def open_picture(self, payload: Any) -> Answer:
        """Answer a visitor's file (multipart, so that the server's limit on file sizes holds).

        Returns:
            `pictures`: data URLs, `as_is` and, where the domain is outlines, `outline`;
            `variant`: which of them to begin with.
        """
        files = getattr(payload, "files", None)
        if not files:
            raise BadRequest(text.SERVER["bad_request"])
        translator, direction = self.find(read_mapping(getattr(payload, "data", None)))
        image = i2i.open_image(files[0][1])
        kind = translator.info.domains[direction[0]].kind
        image = _shrink(image, labels=kind == "labels")
        if kind != "outline":
            return {"pictures": {"as_is": to_data_url(image)}, "variant": "as_is"}
        pictures = {"as_is": to_data_url(image), "outline": to_data_url(i2i.outline(image))}
        return {"pictures": pictures, "variant": "as_is" if looks_drawn(image) else "outline"}

    def examples(self, payload: Any) -> Answer:
        """The example inputs of a checkpoint and direction; a broken one is left out.

        Returns:
            `examples`: data URLs.
        """
        translator, direction = self.find(read_mapping(payload))
        photos = translator.info.domains[direction[0]].kind == "picture"
        urls = []
        for path in translator.examples_of(direction[0]):
            try:
                image = i2i.open_image(path)
            except i2i.ImageError:
                continue
            # Outlines and labels as they are; a photo may lose a little for a tenth of the bytes.
            urls.append(to_data_url(image, "WEBP", quality=92) if photos else to_data_url(image))
        return {"examples": urls}


def sentences(function: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """Make a server function answer `{"error": sentence}` instead of raising; `{"forgotten": True}` for `Forgotten`.

    An error that is no visitor's mistake is logged in full under a short id, which the visitor sees.
    """

    @functools.wraps(function)
    def answer(payload: Any) -> Answer:
        try:
            return function(payload)
        except Forgotten:
            return {"forgotten": True}
        except i2i.I2IError as error:
            return {"error": i18n.sentence(error)}
        except Exception:
            number = secrets.token_hex(3)
            log.exception("error %s in %s", number, function.__name__)
            return {"error": text.SERVER["unexpected"].format(id=number)}

    return answer


def looks_drawn(image: Image.Image) -> bool:
    """Whether a picture already is a line drawing: mostly white, and nothing in colour."""
    small = image.resize((64, 64), Image.Resampling.BOX)
    colourful = ImageStat.Stat(small.convert("HSV").getchannel("S")).mean[0] > 12
    white = sum(small.convert("L").histogram()[200:]) / 64**2
    return white > 0.6 and not colourful


def card_markdown(translator: i2i.Translator) -> str:
    """The model card without its front matter, the checkpoint's own pictures put inside it."""
    card = re.sub(r"\A---\n.*?\n---\n", "", translator.card.replace("\r\n", "\n"), flags=re.DOTALL)
    folder = translator.folder

    def inline(match: re.Match[str]) -> str:
        path = (folder / match["path"]).resolve() if folder else None
        # A card may come from anybody: it shows pictures of its own folder and no other file.
        if path is None or folder is None or not path.is_relative_to(folder.resolve()) or not path.is_file():
            return match["alt"]
        try:
            return f"![{match['alt']}]({to_data_url(i2i.open_image(path), 'WEBP', quality=90)})"
        except i2i.ImageError:
            return match["alt"]

    return re.sub(r"!\[(?P<alt>[^\]]*)\]\((?!https?:|data:)(?P<path>[^)\s]+)\)", inline, card).strip()


def _lacks_graphs(translator: i2i.Translator) -> bool:
    try:
        engine = translator.engine
    except i2i.CheckpointError:
        return False  # the first translation says so and leaves it out
    return isinstance(engine, OpenVINOEngine) and not engine.is_kept()


def _shrink(image: Image.Image, labels: bool) -> Image.Image:
    """At most `SHOWN_SIDE` pixels on the longer side; label colours are never blended."""
    if max(image.size) <= SHOWN_SIDE:
        return image
    scale = SHOWN_SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.NEAREST if labels else Image.Resampling.LANCZOS)


def _characters(answer: Answer) -> int:
    return sum(len(value) for value in answer.values() if isinstance(value, str))
