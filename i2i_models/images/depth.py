"""Pictures of more than 8 bits a channel: scans, measurements, results of other programs. Their values to 8 bits."""

import dataclasses
import io
from collections.abc import Iterable

import cv2
import numpy as np
from PIL import Image, TiffImagePlugin

Range = tuple[float, float]
"""The values that become black and white."""
TOPS = (2**8 - 1, 2**10 - 1, 2**12 - 1, 2**14 - 1, 2**16 - 1)
"""The greatest values of the depths that scanners and cameras have."""
FLOATS: tuple[Range, ...] = ((0.0, 1.0), (-1.0, 1.0), (0.0, 255.0))
"""What programs write floats in."""
ORIENTATION = 0x0112
"""The tag of EXIF."""
GREY = ("I;16", "I;16B", "I;16L", "I", "F")
"""Pillow's modes of one deep channel; deep colours it makes 8 bits itself, by leaving out the lower ones."""


@dataclasses.dataclass(frozen=True)
class Extremes:
    """The least and the greatest finite value of deep pictures, and whether all values are whole numbers."""

    low: float
    high: float
    whole: bool

    @classmethod
    def of(cls, values: np.ndarray) -> "Extremes":
        """Those of a picture."""
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
        return cls(low, high, values.dtype.kind in "iu")

    @property
    def range(self) -> Range:
        """The narrowest usual range that holds them; where none does, they themselves.

        Usual for whole numbers from 0 on are 8, 10, 12, 14 and 16 bits, for others 0 … 1, -1 … 1 and 0 … 255.
        """
        usual = [(0.0, float(top)) for top in TOPS] if self.whole else FLOATS
        fitting = (r for r in usual if r[0] <= self.low and self.high <= r[1])
        return next(fitting, (self.low, max(self.high, self.low + 1)))


def common_range(extremes: Iterable[Extremes | None]) -> Range | None:
    """One range for all pictures of a data set, of which None are not deep; None if no picture is."""
    deep = [e for e in extremes if e]
    if not deep:
        return None
    return Extremes(min(e.low for e in deep), max(e.high for e in deep), all(e.whole for e in deep)).range


def deep_values(image: Image.Image, content: bytes | None) -> np.ndarray | None:
    """The values of an opened picture, `(H, W)`, `(H, W, 3)` or with alpha `(H, W, 4)`; None if 8 bits hold them all.

    Args:
        content: the picture's file, for deep colours; None if there is none.
    """
    if image.mode in GREY:
        return np.asarray(image)
    if content is None or not has_deep_colours(image):
        return None
    return _decoded(content)


def has_deep_colours(image: Image.Image) -> bool:
    """Whether Pillow would read 16 bits of each colour as 8."""
    tiles = getattr(image, "tile", None)
    arguments = tiles[0][3] if tiles else ""
    raw = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return image.mode not in GREY and isinstance(raw, str) and ";16" in raw and raw[:2] in ("RG", "LA")


def deep_colour_tiff(content: bytes, max_pixels: int) -> np.ndarray | None:
    """The values of a TIFF file in float colours, which Pillow does not read; None if it is none or too large."""
    if content[:4] not in (b"II*\0", b"MM\0*"):
        return None
    directory = TiffImagePlugin.ImageFileDirectory_v2(content[:8])
    if not 0 < directory.next < len(content):
        return None
    file = io.BytesIO(content)
    file.seek(directory.next)
    directory.load(file)
    width, height = directory.get(256, 0), directory.get(257, 0)
    if not (isinstance(width, int) and isinstance(height, int) and 0 < width * height <= max_pixels):
        return None
    return _decoded(content)


def to_eight_bits(values: np.ndarray, value_range: Range | None) -> Image.Image:
    """Scaled so that a range becomes 0 … 255; greys, RGB or RGBA.

    Args:
        values: as `deep_values` gives them. What is no number becomes black.
        value_range: by default the picture's own, as `Extremes.range`.
    """
    colours = values[..., :3] if values.ndim == 3 else values
    low, high = value_range or Extremes.of(colours).range
    with np.errstate(over="ignore"):  # what lies beyond float32 is beyond the range, too
        scaled = (colours.astype(np.float32) - low) * (255 / max(high - low, 1e-12))
    pixels = np.nan_to_num(scaled, nan=0.0).clip(0, 255).astype(np.uint8)
    if values.ndim == 3 and values.shape[2] == 4:
        opaque = 1.0 if values.dtype.kind == "f" else float(np.iinfo(values.dtype).max)
        alpha = (values[..., 3:].astype(np.float32) * (255 / opaque)).clip(0, 255).astype(np.uint8)
        pixels = np.concatenate([pixels, alpha], axis=2)
    return Image.fromarray(pixels)


def upright(values: np.ndarray, orientation: object) -> np.ndarray:
    """Values turned as EXIF's orientation, 1 to 8, says."""
    if orientation in (5, 6, 7, 8):
        values = values.swapaxes(0, 1)
    rows, columns = orientation in (3, 4, 7, 8), orientation in (2, 3, 6, 7)
    return values[:: -1 if rows else 1, :: -1 if columns else 1]


def _decoded(content: bytes) -> np.ndarray | None:
    """What OpenCV reads, in the order RGB; None if it reads nothing deep."""
    try:
        values = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if values is None or values.dtype == np.uint8:
        return None
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = values[..., [2, 1, 0, 3][: values.shape[2]]]
    return values
