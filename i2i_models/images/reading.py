"""Image files of untrusted origin, and images of any mode, to 8-bit RGB."""

import io
import os
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..errors import ImageError

MAX_PIXELS = 40_000_000
"""Larger images are refused by their header, before anything is decoded."""
MIN_SIDE = 2
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""Formats that are opened; anything else Pillow knows (PDF, EPS …) is no picture here."""
SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff"})


def open_image(source: str | os.PathLike[str] | bytes | IO[bytes]) -> Image.Image:
    """Open an image of untrusted origin as 8-bit RGB.

    Turned as EXIF says, transparency on white, the first frame of an animation, 16 bits scaled
    to 8. The header is judged before a pixel is decoded.

    Args:
        source: a path, the file's bytes, or a binary file object.

    Raises:
        ImageError: not an image, damaged, too large or too small; one sentence that says which.
    """
    name = Path(source).name if isinstance(source, str | os.PathLike) else "This file"
    if isinstance(source, bytes):
        source = io.BytesIO(source)
    try:
        with Image.open(source, formats=FORMATS) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise ImageError(
                    f"{name} is {width}×{height} pixels; at most {MAX_PIXELS // 1_000_000} megapixels can be used: "
                    "make it smaller first."
                )
            if min(width, height) < MIN_SIDE:
                raise ImageError(f"{name} is {width}×{height} pixels, too small to translate: choose a larger image.")
            return to_rgb(ImageOps.exif_transpose(image))
    except FileNotFoundError:
        raise ImageError(f"{name} does not exist: check the path.") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name} is not an image that can be read: use a PNG, JPEG, WebP or GIF file.") from None
    except Image.DecompressionBombError:
        raise ImageError(f"{name} is far too large: make it smaller first.") from None
    except ImageError:
        raise
    except (OSError, ValueError, SyntaxError, EOFError, MemoryError, IndexError, KeyError, TypeError) as error:
        # Pillow's decoders raise all of these on damaged files.
        if isinstance(error, IsADirectoryError | PermissionError):
            raise ImageError(f"{name} cannot be opened as a file: {error.strerror}.") from None
        raise ImageError(f"{name} is damaged or incomplete: save or download it again.") from None


def to_rgb(image: Image.Image) -> Image.Image:
    """Any mode → RGB: transparency on white, 16-bit and float grey scaled to 8 bits."""
    if image.mode in ("I;16", "I;16B", "I;16L", "I", "F"):
        values = np.asarray(image, dtype=np.float32)
        top = 65535.0 if image.mode.startswith("I") else max(1.0, float(np.nan_to_num(values).max(initial=1.0)))
        return Image.fromarray((np.nan_to_num(values) / top * 255).clip(0, 255).astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")
