"""Augmentation of coloured drawings: `(H, W, 3)` uint8 arrays, chance only from the generator that is given."""

import cv2
import numpy as np
from numpy.random import Generator

from i2i_models.images.flat_colours import few_colours

from .augmentation import displace

Pixels = np.ndarray


def vary_colours(images: list[Pixels], rng: Generator) -> list[Pixels]:
    """Turn the hue and change the saturation and the lightness of all images alike, so that pairs stay pairs.

    The colours are those of HLS. Hue turns by any angle, saturation is multiplied by 0.6 to 1.4, lightness in [0, 1]
    gets an exponent of 0.7 to 1.4. Black and white stay, and greys stay grey.
    """
    turn = np.float32(rng.uniform(0, 360))
    saturation = np.float32(rng.uniform(0.6, 1.4))
    exponent = np.float32(np.exp(rng.uniform(np.log(0.7), np.log(1.4))))
    results = []
    for image in images:
        hls = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HLS)
        hue, lightness, strength = cv2.split(hls)
        varied = cv2.merge([(hue + turn) % 360, lightness**exponent, np.minimum(strength * saturation, 1)])
        results.append((cv2.cvtColor(varied, cv2.COLOR_HLS2RGB) * 255).round().astype(np.uint8))
    return results


def simplify_flat(flat: Pixels, rng: Generator, clean: float = 0.2) -> Pixels:
    """Make of a flat drawing what people paint of it: few flat colours, no small details, uncertain edges.

    White stays exactly white. At 128 px details of up to 1 to 6 px go and edges move by about 1 px; both grow with the
    image. `warp` the pair first, so that the drawing's proportions vary as well.

    Args:
        flat: a drawing in flat colours on white.
        clean: share of drawings that stay as they are.
    """
    if rng.random() < clean:
        return flat
    scale = flat.shape[0] / 128
    reach = round(scale * rng.uniform(0.5, 3))
    painted = few_colours(cv2.medianBlur(flat, 2 * reach + 1), int(rng.integers(2, 8)))
    return warp([painted], 1.2 * scale * rng.random(), rng)[0]


def warp(images: list[Pixels], strength: float, rng: Generator) -> list[Pixels]:
    """Displace all images alike by a smooth random field.

    Args:
        strength: standard deviation of the displacement of the field's nodes, in pixels.
    """
    cells = int(rng.integers(4, 9))
    return displace(images, rng.normal(0, strength, (2, cells, cells)), cv2.BORDER_REPLICATE)
