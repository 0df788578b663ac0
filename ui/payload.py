"""Fields of what browsers send: each function takes one value and returns it checked, or raises a sentence.

Anybody can send anything to a public page, so nothing in a payload is believed.
"""

import base64
import binascii
import contextlib
import io
import math
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image

import i2i_models as i2i
from i2i_models.images.depth import Range
from i2i_models.images.reading import FORMATS
from ui import text
from ui.errors import BadRequest

MAX_DRAWING_CHARS = 4_000_000
"""A drawing arrives at the network's size, as a few kilobytes; the page never sends as much as this."""
MAX_DRAWING_SIDE = 2048
"""Pixels; a small file can unfold into a picture that keeps the server busy for seconds."""
MAX_SEED = 2**31 - 1
MAX_TEMPERATURE = 3.0


def read_mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        BadRequest: anything else.
    """
    if not isinstance(value, Mapping):
        raise BadRequest(text.SERVER["bad_request"])
    return value


def read_image(url: Any) -> Image.Image:
    """The image of a data URL.

    Raises:
        BadRequest: it is no data URL of an image, or too large.
        ImageError: what it holds is no image.
    """
    if not isinstance(url, str) or not url.startswith("data:image/") or not url.isascii():
        raise BadRequest(text.SERVER["bad_request"])
    if len(url) > MAX_DRAWING_CHARS:
        raise BadRequest(text.SERVER["drawing_too_large"])
    try:
        data = base64.b64decode(url.partition(",")[2], validate=True)
    except binascii.Error:
        raise BadRequest(text.SERVER["bad_request"]) from None
    return open_picture(data, MAX_DRAWING_SIDE)


def open_picture(source: Path | bytes, max_side: int | None = None, value_range: Range | None = None) -> Image.Image:
    """A picture of anybody, once there is memory for it: all that are decoded at the same time share `ROOM`.

    Args:
        max_side: pixels; the header alone is judged by it.
        value_range: as for `i2i.open_image`.

    Raises:
        BadRequest: it has more.
        ImageError: as `i2i.open_image`.
    """
    width, height = _size(source)
    if max_side is not None and max(width, height) > max_side:
        raise BadRequest(text.SERVER["drawing_too_large"])
    with ROOM.taken(width * height * BYTES_A_PIXEL):
        return i2i.open_image(source, value_range)


def _size(source: Path | bytes) -> tuple[int, int]:
    """What a picture's header says; nothing for what is none, which opening it will say."""
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            return image.size
    except Exception:  # whatever Pillow's readers raise at a damaged file
        return 0, 0


class Room:
    """A bound on bytes that are under way at the same time; who finds none waits."""

    def __init__(self, size: int) -> None:
        self.size = self._left = size
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, count: int) -> Iterator[None]:
        """Inside, so many bytes are taken; all, where it is more than there is."""
        count = min(count, self.size)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= count)
            self._left -= count
        try:
            yield
        finally:
            with self._changed:
                self._left += count
                self._changed.notify_all()


ROOM = Room(400_000_000)
"""For pictures that are being decoded."""
BYTES_A_PIXEL = 10
"""While a picture is decoded: as it is in the file, with transparency, and as RGB."""


def read_seed(value: Any) -> int | None:
    """A whole number from 0 to `MAX_SEED`, or None for no chance.

    Raises:
        BadRequest: anything else.
    """
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_SEED:
        raise BadRequest(text.SERVER["bad_seed"].format(limit=MAX_SEED))
    return value


def read_temperature(value: Any) -> float:
    """A number from 0 to `MAX_TEMPERATURE`; None stands for 1.

    Raises:
        BadRequest: anything else.
    """
    if value is None:
        return 1.0
    if not _is_number(value) or not 0 <= value <= MAX_TEMPERATURE:
        raise BadRequest(text.SERVER["bad_temperature"].format(limit=f"{MAX_TEMPERATURE:g}"))
    return float(value)


def read_share(value: Any) -> float:
    """A number from 0 to 1.

    Raises:
        BadRequest: anything else.
    """
    if not _is_number(value) or not 0 <= value <= 1:
        raise BadRequest(text.SERVER["bad_share"])
    return float(value)


def read_whole(value: Any, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    Raises:
        BadRequest: anything else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise BadRequest(text.SERVER["bad_request"])
    return value


def read_switch(value: Any) -> bool:
    """True or False; None stands for False.

    Raises:
        BadRequest: anything else.
    """
    if value is not None and not isinstance(value, bool):
        raise BadRequest(text.SERVER["bad_request"])
    return bool(value)


def to_data_url(image: Image.Image, format: str = "PNG", **options: Any) -> str:
    """An image as a data URL, which a page shows without another request."""
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return f"data:image/{format.lower()};base64,{base64.b64encode(buffer.getvalue()).decode()}"


def to_live_url(image: Image.Image, quality: int = 92) -> str:
    """An image as a data URL that is quick to make and to show, for answers while somebody draws or drags.

    A JPEG takes a tenth of a WebP's time, and with full chroma it keeps every pixel's colour as WebP does not.
    """
    return to_data_url(image, "JPEG", quality=quality, subsampling="4:4:4")


def _is_number(value: Any) -> bool:
    # A whole number may be too long for `isfinite`, which makes a float of it.
    return math.isfinite(value) if isinstance(value, float) else isinstance(value, int) and not isinstance(value, bool)
