"""Pictures in a few flat colours, made alike for the augmentation of flat drawings and for a visitor's photo."""

import cv2
import numpy as np
from PIL import Image

WORKING_SIZE = 256
"""The longer side, in pixels, at which colours are sought: twice the 128 px that the networks see."""
PHOTO_COLOURS, PHOTO_APART = 10, 48
"""How many colours a photo is reduced to beside white, and their least distance: shades of one thing become one."""


def flat_colours(image: Image.Image) -> Image.Image:
    """A picture in flat colours, at most 10 and white, RGB, in the picture's own size.

    Shading is smoothed away inside of things (bilateral filter), details of up to 3 px at the working size go (median),
    then every pixel gets the nearest of the picture's most frequent colours. Edges are antialiased.
    """
    scale = WORKING_SIZE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))
    for _ in range(2):
        pixels = cv2.bilateralFilter(pixels, 9, 40, 7)
    flat = few_colours(cv2.medianBlur(pixels, 7), PHOTO_COLOURS, PHOTO_APART)
    filter = Image.Resampling.BOX if scale > 1 else Image.Resampling.BILINEAR
    return Image.fromarray(flat).resize(image.size, filter)


def few_colours(image: np.ndarray, count: int, apart: int = 24) -> np.ndarray:
    """Paint every pixel in the nearest of a few flat colours: white and the most frequent others of the image.

    Args:
        image: `(H, W, 3)` uint8.
        count: how many colours beside white, at most.
        apart: the least distance in RGB of one of these colours to another, so that edges and shades get none.
    """
    colours, counts = np.unique(_bins(image), return_counts=True)
    bins = np.stack([colours >> 10, colours >> 5 & 31, colours & 31], 1).astype(np.int32) * 8 + 4
    chosen = [np.array((255, 255, 255), np.int32)]
    while len(chosen) <= count:
        counts[((bins - chosen[-1]) ** 2).sum(1) < apart**2] = 0
        if not counts.any():
            break
        chosen.append(bins[counts.argmax()])
    palette = np.array(chosen, np.float32)
    # |x - c|² = |x|² - 2 x·c + |c|², of which |x|² is the same for all colours c.
    distances = (palette**2).sum(1) - 2 * image.astype(np.float32) @ palette.T
    return palette.astype(np.uint8)[distances.argmin(-1)]


def _bins(image: np.ndarray) -> np.ndarray:
    """The first five bits of each channel, in one number."""
    red, green, blue = (image[..., i].astype(np.int32) >> 3 for i in range(3))
    return red << 10 | green << 5 | blue
