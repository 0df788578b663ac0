"""Label colours: label maps are pictures whose colours mean something."""

import numpy as np
from PIL import Image

Palette = dict[str, tuple[int, int, int]]

FACADES: Palette = {
    "background": (0, 0, 222),
    "facade": (0, 48, 255),
    "window": (0, 128, 255),
    "door": (0, 207, 255),
    "cornice": (32, 255, 224),
    "sill": (112, 255, 143),
    "balcony": (192, 255, 63),
    "blind": (255, 240, 0),
    "deco": (255, 159, 0),
    "molding": (255, 80, 0),
    "pillar": (255, 0, 0),
    "shop": (174, 0, 0),
}
"""The twelve classes of the CMP Facade Database in the colours of the pix2pix data set."""


def nearest_label(image: Image.Image, palette: Palette) -> np.ndarray:
    """The index `(H, W)`, int64, of the palette colour nearest to each pixel (squared RGB distance)."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.int32)
    colours = np.array(list(palette.values()), dtype=np.int32)
    return ((pixels[:, :, None] - colours) ** 2).sum(-1).argmin(-1)


def flatten_labels(image: Image.Image, palette: Palette) -> Image.Image:
    """Every pixel in the exact palette colour nearest to it: undoes what JPEG did to a label map."""
    colours = np.array(list(palette.values()), dtype=np.uint8)
    return Image.fromarray(colours[nearest_label(image, palette)])
