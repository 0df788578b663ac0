"""The one reader of pictures: files of untrusted origin, and pictures of any mode, to 8-bit RGB.

| what a file has | what is made of it |
|---|---|
| mode: grey, palette, CMYK, YCbCr, Lab, 1 bit | RGB; the CMYK of Adobe, which is stored inverted, turned right |
| depth: 10 to 32 bits, signed, float | scaled by the data set's range of values, else its own (`depth.py`) |
| profile: ICC, or a PNG's gamma | sRGB (`colour.py`) |
| alpha | on white paper; light ink on black (`colour.py`) |
| orientation of EXIF | turned upright |
| frames | the first |
| size | at most `MAX_PIXELS`, of files of one's own `OWN_MAX_PIXELS`; at least `MIN_SIDE` a side |
| format | `FORMATS`; HEIC and JPEG XL where their packages are installed, else named in the refusal |
"""

import contextlib
import io
import os
import warnings
from importlib import import_module
from pathlib import Path, PurePath
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError
from .colour import on_paper, to_srgb
from .depth import (
    GREY,
    ORIENTATION,
    Extremes,
    Range,
    deep_colour_tiff,
    deep_values,
    has_deep_colours,
    to_eight_bits,
    upright,
)
from .jxl import CODESTREAM, CONTAINER, jxl_size

MAX_PIXELS = 40_000_000
"""Larger images of strangers are refused by their header, before anything is decoded."""
OWN_MAX_PIXELS = 170_000_000
"""The same for the files of whoever trains or runs the command line: largest phones have 108 megapixels."""
MIN_SIDE = 2
FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"]
"""Formats that are opened; anything else Pillow knows (PDF, EPS …) is no picture here."""
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".bmp", ".tif", ".tiff"}
    | {".avif", ".heic", ".heif", ".hif", ".jxl"}
)
"""Of files that are looked into, also where no decoder is installed: so that they are named, not left out silently."""
LITTER = frozenset({"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx"})
"""What systems leave in folders."""
JXL_HEAD = 1_000_000
"""Bytes in which a JPEG XL must say its size."""
_NAMED = {b"v/1\x01": "OpenEXR", b"%PDF": "PDF", b"<svg": "SVG", b"8BPS": "a Photoshop file"}
"""What else shows a picture, by its first bytes."""
_FOREIGN = {"HEIC": "pillow-heif", "JPEG XL": "pillow-jxl-plugin"}
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


def _register_decoders() -> None:
    """Let Pillow read HEIC and JPEG XL where the packages for them are installed."""
    with contextlib.suppress(ImportError, AttributeError):
        import_module("pillow_heif").register_heif_opener()
        FORMATS.append("HEIF")
    with contextlib.suppress(ImportError):
        import_module("pillow_jxl")
        FORMATS.append("JXL")


_register_decoders()


def is_litter(path: str | PurePath) -> bool:
    """Whether a file or folder is nobody's picture but a system's note: hidden ones, `._1.png`, `Thumbs.db` …"""
    parts = PurePath(path).parts
    return any((part.startswith(".") and part not in (".", "..")) or part.lower() in LITTER for part in parts)


def open_image(
    source: str | os.PathLike[str] | bytes | IO[bytes],
    value_range: Range | None = None,
    max_pixels: int = MAX_PIXELS,
) -> Image.Image:
    """Open an image of untrusted origin as 8-bit RGB, as the table above says.

    The header is judged before a pixel is decoded.

    Args:
        source: a path, the file's bytes, or a binary file object.
        value_range: of more than 8 bits, the values that become black and white.
        max_pixels: larger images are refused.

    Raises:
        ImageError: not an image, damaged, too large or too small; one sentence that says which.
    """
    image, values = _opened(source, max_pixels)
    return to_rgb(image) if values is None else to_rgb(to_eight_bits(values, value_range))


def extremes(source: str | os.PathLike[str] | bytes | IO[bytes], max_pixels: int = MAX_PIXELS) -> Extremes | None:
    """The least and greatest value of a file of more than 8 bits; None for others, which are not decoded.

    Raises:
        ImageError: as `open_image`.
    """
    values = _opened(source, max_pixels, only_deep=True)[1]
    return None if values is None else Extremes.of(values[..., :3] if values.ndim == 3 else values)


def stored_mode(path: Path) -> str | None:
    """How a file stores its pixels, by Pillow's name, read off its header; None where Pillow does not know."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as image:
                return image.mode
    except (OSError, Image.DecompressionBombError, ValueError):
        return None


def to_rgb(image: Image.Image, value_range: Range | None = None) -> Image.Image:
    """Any mode → RGB, as the table above says; more than 8 bits by `value_range`, by default the picture's own."""
    if image.mode in GREY:
        values = deep_values(image, None)
        assert values is not None
        return to_eight_bits(values, value_range).convert("RGB")
    image = to_srgb(image)
    return on_paper(image) if image.has_transparency_data else image.convert("RGB")


def _opened(
    source: str | os.PathLike[str] | bytes | IO[bytes], max_pixels: int, only_deep: bool = False
) -> tuple[Image.Image, np.ndarray | None]:
    """The picture, upright, and its values if they are more than 8 bits."""
    name = Path(source).name if isinstance(source, str | os.PathLike) else "This file"
    try:
        if isinstance(source, str | os.PathLike):
            with open(source, "rb") as file:
                return _decoded(file, name, max_pixels, only_deep)
        return _decoded(io.BytesIO(source) if isinstance(source, bytes) else source, name, max_pixels, only_deep)
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist: check the path.") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise ImageError(f"{name} is far too large: make it smaller first.") from None
    except ImageError:
        raise
    except (IsADirectoryError, PermissionError) as error:
        raise ImageError(f"{name} cannot be opened as a file: {error.strerror}.") from None
    except Exception:  # decoders raise nearly anything on damaged files
        raise ImageError(f"{name} is damaged or incomplete: save or download it again.") from None


def _decoded(file: IO[bytes], name: str, max_pixels: int, only_deep: bool) -> tuple[Image.Image, np.ndarray | None]:
    head = file.read(len(CONTAINER))
    file.seek(0)
    if head.startswith((CODESTREAM, CONTAINER)) and "JXL" in FORMATS:
        size = jxl_size(file.read(JXL_HEAD))
        file.seek(0)
        if size is None:
            raise ImageError(f"{name} is damaged or incomplete: save or download it again.")
        _check_size(size, name, max_pixels)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # ours is the limit that counts
            image = Image.open(file, formats=FORMATS)
    except UnidentifiedImageError:
        file.seek(0)
        content = file.read()
        values = deep_colour_tiff(content, max_pixels)
        if values is None:
            raise ImageError(_why_not(content, name)) from None
        return Image.new("RGB", (1, 1)), values
    with image:
        _check_size(image.size, name, max_pixels)
        values = deep_values(image, None)
        if values is None and has_deep_colours(image):
            file.seek(0)
            values = deep_values(image, file.read())
        if values is not None:
            return image, upright(values, image.getexif().get(ORIENTATION, 1))
        return image if only_deep else ImageOps.exif_transpose(image), None


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    width, height = size
    if width * height > max_pixels:
        raise ImageError(
            f"{name} is {width}×{height} pixels; at most {max_pixels // 1_000_000} megapixels can be used: "
            "make it smaller first."
        )
    if min(width, height) < MIN_SIDE:
        raise ImageError(f"{name} is {width}×{height} pixels, too small to translate: choose a larger image.")


def _why_not(content: bytes, name: str) -> str:
    """The sentence for a file that nothing here reads."""
    if not content:
        return f"{name} is not an image that can be read, since it is empty: copy or download it again."
    kind = "HEIC" if content[4:8] == b"ftyp" and content[8:12] in _BRANDS else None
    if content.startswith((CODESTREAM, CONTAINER)):
        kind = "JPEG XL"
    if kind:
        return f"{name} is {kind}, which is not read here: save it as JPEG or PNG, or `pip install {_FOREIGN[kind]}`."
    if other := next((called for first, called in _NAMED.items() if content.startswith(first)), None):
        return f"{name} is {other}, which is not an image that can be read here: save it as PNG or TIFF."
    return f"{name} is not an image that can be read: use a PNG, JPEG, WebP or GIF file."
