"""Between the page and the translators: loads and warms checkpoints, reads visitors' bytes, turns errors into words.

Nothing here is kept per visitor; every function may run in several threads at once.
"""

import base64
import binascii
import functools
import io
import logging
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PIL import Image, ImageStat

import i2i_models as i2i
from ui import text

log = logging.getLogger(__name__)

MAX_DRAWING_CHARS = 4_000_000
"""A drawing arrives at the network's size, a few kilobytes; anything near this is not ours."""
MAX_DRAWING_SIDE = 2048
"""Pixels; a small file can unfold into a picture that keeps the server busy for seconds."""
MAX_SEED = 2**31 - 1
AT_ONCE = 2
"""Networks that run at the same time; more would only slow each other down on two cores."""
SHOWN_SIDE = 512
"""Side in pixels at which a visitor's picture is laid on the paper."""

Answer = dict[str, Any]


class BadRequest(i2i.I2IError):
    """The page, or somebody in its place, sent what no visitor's click can produce."""


class Catalog:
    """The checkpoints that this page serves."""

    def __init__(self, folder: Path) -> None:
        """Load every checkpoint in `folder`; one that cannot be loaded is left out with a logged line."""
        self.folder = folder
        self.translators: dict[str, i2i.Translator] = {}
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        for path in i2i.find_checkpoints(folder):
            try:
                translator = i2i.load(path)
            except Exception as error:
                # One folder, whatever is in it, must not keep the others from being served.
                log.warning("left out %s: %s", path.name, error, exc_info=not isinstance(error, i2i.I2IError))
            else:
                self.translators[translator.info.name] = translator
        if not self.translators:
            log.warning("no checkpoint could be loaded from %s", folder.resolve())

    def paired(self) -> list[i2i.Translator]:
        """The translators whose method learned from pairs."""
        return [t for t in self.translators.values() if t.network.paired]

    def warm(self) -> threading.Thread:
        """Translate a blank sheet with each checkpoint in the background, so that no visitor is the first."""
        thread = threading.Thread(target=self._warm, name="warm-up", daemon=True)
        thread.start()
        return thread

    def _warm(self) -> None:
        for translator in self.translators.values():
            blank = Image.new("RGB", (translator.info.size, translator.info.size), "white")
            try:
                for direction in translator.directions:
                    for seed in (None, 0, None):
                        self.run(translator, blank, direction, seed)
            except Exception:
                log.exception("warming up %s failed", translator.info.name)

    def run(
        self, translator: i2i.Translator, image: Image.Image, direction: Any, seed: int | None
    ) -> tuple[Image.Image, float]:
        """Translate when it is this image's turn.

        Returns:
            The result and the milliseconds that the network took, waiting not counted.
        """
        with self._turns:
            start = time.perf_counter()
            result = translator.translate(image, direction=direction, seed=seed)
            return result, (time.perf_counter() - start) * 1000

    def find(self, payload: Mapping[str, Any]) -> tuple[i2i.Translator, str]:
        """The translator and direction that a payload names."""
        name = payload.get("checkpoint")
        translator = self.translators.get(name) if isinstance(name, str) else None
        if translator is None:
            raise BadRequest(text.SERVER["unknown_checkpoint"].format(name=str(name)[:60]))
        direction = payload.get("direction")
        if direction not in translator.directions:
            raise BadRequest(text.SERVER["bad_request"])
        return translator, str(direction)

    def translate(self, payload: Any) -> Answer:
        """Answer a drawing.

        Args:
            payload: `checkpoint`, `direction`, `image` (data URL) and `seed` (None: dropout off).

        Returns:
            `image`, a data URL of the drawing's size, and `ms`, the time that the network took.
        """
        payload = _mapping(payload)
        translator, direction = self.find(payload)
        image = i2i.open_image(_from_data_url(payload.get("image")))
        if max(image.size) > MAX_DRAWING_SIDE:
            raise BadRequest(text.SERVER["drawing_too_large"])
        result, ms = self.run(translator, image, direction, _seed(payload.get("seed")))
        return {
            "image": to_data_url(result, "WEBP", quality=92, method=0),
            "ms": round(ms, 1) if ms < 10 else round(ms),
        }

    def open_picture(self, payload: Any) -> Answer:
        """Answer a visitor's file (multipart, so that the server's limit on file sizes holds).

        Returns:
            `pictures`: data URLs, `as_is` and, where the domain is outlines, `outline`;
            `variant`: which of them to begin with.
        """
        files = getattr(payload, "files", None)
        if not files:
            raise BadRequest(text.SERVER["bad_request"])
        translator, direction = self.find(_mapping(getattr(payload, "data", None)))
        image = i2i.open_image(files[0][1])
        kind = translator.info.domains[direction[0]].kind
        image = _shrink(image, labels=kind == "labels")
        if kind != "outline":
            return {"pictures": {"as_is": to_data_url(image)}, "variant": "as_is"}
        pictures = {"as_is": to_data_url(image), "outline": to_data_url(i2i.outline(image))}
        return {"pictures": pictures, "variant": "as_is" if looks_drawn(image) else "outline"}


def sentences(function: Callable[[Any], Answer]) -> Callable[[Any], Answer]:
    """Make a server function answer `{"error": sentence}` instead of raising.

    An error that is no visitor's mistake is logged in full under a short id, which the visitor sees.
    """

    @functools.wraps(function)
    def answer(payload: Any) -> Answer:
        try:
            return function(payload)
        except i2i.I2IError as error:
            return {"error": str(error)}
        except Exception:
            number = secrets.token_hex(3)
            log.exception("error %s in %s", number, function.__name__)
            return {"error": text.SERVER["unexpected"].format(id=number)}

    return answer


def to_data_url(image: Image.Image, format: str = "PNG", **options: Any) -> str:
    """An image as a data URL, which a page shows without another request."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return f"data:image/{format.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


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


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BadRequest(text.SERVER["bad_request"])
    return value


def _from_data_url(value: Any) -> bytes:
    if not isinstance(value, str) or not value.startswith("data:image/"):
        raise BadRequest(text.SERVER["bad_request"])
    if len(value) > MAX_DRAWING_CHARS:
        raise BadRequest(text.SERVER["drawing_too_large"])
    try:
        return base64.b64decode(value.partition(",")[2], validate=True)
    except binascii.Error:
        raise BadRequest(text.SERVER["bad_request"]) from None


def _seed(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEED:
        raise BadRequest(text.SERVER["bad_seed"].format(limit=MAX_SEED))
    return value


def _shrink(image: Image.Image, labels: bool) -> Image.Image:
    """At most `SHOWN_SIDE` pixels on the longer side; label colours are never blended."""
    if max(image.size) <= SHOWN_SIDE:
        return image
    scale = SHOWN_SIDE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    return image.resize((width, height), Image.Resampling.NEAREST if labels else Image.Resampling.LANCZOS)
