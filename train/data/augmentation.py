"""Augmentation of `(H, W, 3)` uint8 arrays. Every function draws only from the generator it is given.

The field docstrings of `Augmentation` are the command line's help.
"""

import dataclasses

import cv2
import numpy as np
from numpy.random import Generator

Pixels = np.ndarray


@dataclasses.dataclass(frozen=True)
class Augmentation:
    """How training images are varied."""

    enlarge: float = 286 / 256
    """Resize to this many times the size, then crop at random; 1 to leave it."""
    mirror: bool = True
    """Mirror every other image."""
    affine: float = 0.0
    """Strength of random turning, scaling, stretching and shifting; 0 for none."""
    vary_hue: bool = False
    """Turn the hue of each image of domain B at random, so that a style has colours to carry; white stays white."""
    vary_colours: bool = False
    """Vary hue, saturation and lightness at random, alike in both images of a pair; black, white and greys stay so."""
    warp: float = 0.0
    """Displace the pixels by a smooth random field, alike in both images of a pair: its strength at 128 pixels."""
    simplify: bool = False
    """Simplify the flat drawings of domain A as people paint them: few colours, no small details, uncertain edges."""
    hand_drawn: bool = False
    """Vary the outlines of domain A as hands draw them: stroke width, wobble, gaps, lines left out."""


def jitter(
    images: list[Pixels], size: int, enlarge: float, mirror: bool, rng: Generator, nearest: list[bool]
) -> list[Pixels]:
    """Resize to `enlarge` × size, crop a random `size` square, mirror half of the time (pix2pix, section 6.2).

    The same for all images, so that pairs stay pairs.

    Args:
        nearest: for each image whether its colours are labels, which interpolation must not mix.
    """
    large = round(size * enlarge)
    top, left = (int(v) for v in rng.integers(0, large - size + 1, 2))
    flip = mirror and rng.random() < 0.5
    results = []
    for image, is_labels in zip(images, nearest, strict=True):
        resized = resize(image, large, is_labels)[top : top + size, left : left + size]
        results.append(np.ascontiguousarray(resized[:, ::-1] if flip else resized))
    return results


def resize(image: Pixels, size: int, nearest: bool) -> Pixels:
    """To a shorter side of `size`; labels by nearest neighbour, pictures by area average or cubic."""
    height, width = image.shape[:2]
    side = min(height, width)
    if side == size:
        return image
    shrinks = size < side
    method = cv2.INTER_NEAREST if nearest else cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return cv2.resize(image, (round(width * size / side), round(height * size / side)), interpolation=method)


def square(images: list[Pixels], rng: Generator) -> list[Pixels]:
    """A random square of each elongated image, at the same share of the way along all of them.

    Square images draw nothing from `rng`, so that what follows is varied as if this were not there.
    """
    if all(image.shape[0] == image.shape[1] for image in images):
        return images
    share, results = rng.random(), []
    for image in images:
        height, width = image.shape[:2]
        side = min(height, width)
        top, left = round(share * (height - side)), round(share * (width - side))
        results.append(image[top : top + side, left : left + side])
    return results


def affine(images: list[Pixels], strength: float, rng: Generator, nearest: list[bool]) -> list[Pixels]:
    """Turn, scale, stretch and shift all images alike; the border colour fills what comes in.

    Strength 1 turns by up to ±15°, scales to 0.7 … 1.1 with up to 15 % more on one axis, shifts by up to 8 %.
    """
    height, width = images[0].shape[:2]
    angle = np.deg2rad(15 * strength * rng.uniform(-1, 1))
    scale = 1 + strength * rng.uniform(-0.3, 0.1)
    stretch = 1 + 0.15 * strength * rng.uniform(-1, 1)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    linear = turn @ np.diag([scale * stretch, scale / stretch])
    centre = np.array([width, height]) / 2
    shift = 0.08 * strength * rng.uniform(-1, 1, 2) * (width, height)
    matrix = np.hstack([linear, (centre + shift - linear @ centre)[:, None]])
    return [
        cv2.warpAffine(
            image,
            matrix,
            (width, height),
            flags=cv2.INTER_NEAREST if is_labels else cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for image, is_labels in zip(images, nearest, strict=True)
    ]


def vary_hue(image: Pixels, rng: Generator) -> Pixels:
    """Turn all hues by one random angle; lightness and saturation in HSV stay, so black, white and greys do."""
    hsv = cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_RGB2HSV)
    hsv[..., 0] = (hsv[..., 0] + rng.uniform(0, 360)) % 360
    return (cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB) * 255).round().astype(np.uint8)


def hand_drawn(outline: Pixels, rng: Generator, clean: float = 0.3) -> Pixels:
    """Vary an outline as hands do: stroke width 1 to 4 px at 128, a wobble, gaps, inner lines left out, dots filled.

    Works at twice the size, so that widths have steps of half a pixel.

    Args:
        outline: black strokes on white.
        clean: share of outlines that stay as they are.
    """
    if rng.random() < clean:
        return outline
    height, width = outline.shape[:2]
    strokes = cv2.resize(255 - outline[:, :, 0], (2 * width, 2 * height), interpolation=cv2.INTER_LINEAR)
    ink: Pixels = (strokes > 110).astype(np.uint8)
    if rng.random() < 0.5:
        ink = _drop_inner_lines(ink, rng)
    if rng.random() < 0.3:
        ink = _fill_dots(ink, rng)
    if rng.random() < 0.4:
        ink = _gaps(ink, rng)
    # The strokes are about 3 px wide here; 2 … 8 make 1 … 4 at the outline's size.
    target = 2 + 6 * rng.beta(1.2, 2.0)
    if target < 2.6:
        ink = cv2.erode(ink, np.ones((2, 2), np.uint8))
    elif target > 3.5:
        radius = round(target) - 2
        ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (radius, radius)))
    drawn = ink * np.uint8(255)
    if rng.random() < 0.7:
        drawn = _wobble(drawn, rng)
    drawn = cv2.resize(drawn, (width, height), interpolation=cv2.INTER_AREA)
    return np.repeat(255 - drawn[:, :, None], 3, axis=2)


def _drop_inner_lines(ink: Pixels, rng: Generator) -> Pixels:
    """Leave out separate strokes at random, small ones more often; the largest stays."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    if count <= 2:
        return ink
    areas = stats[1:, cv2.CC_STAT_AREA]
    leave_out = rng.random(count - 1) < rng.uniform(0.1, 0.5) * (1 - 0.5 * areas / areas.max())
    leave_out[areas.argmax()] = False
    return (ink.astype(bool) & ~np.concatenate([[False], leave_out])[labels]).astype(np.uint8)


def _fill_dots(ink: Pixels, rng: Generator) -> Pixels:
    """Fill small closed shapes, as people dot an eye."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(1 - ink, connectivity=4)
    small = (stats[:, cv2.CC_STAT_AREA] < 400) & (rng.random(count) < 0.8)
    small[0] = False
    return ink | small[labels].astype(np.uint8)


def _gaps(ink: Pixels, rng: Generator) -> Pixels:
    """Lift the pen for a few pixels in some places."""
    ys, xs = np.nonzero(ink)
    if len(ys) == 0:
        return ink
    ink = ink.copy()
    for i in rng.integers(0, len(ys), int(rng.integers(1, 7))):
        cv2.circle(ink, (int(xs[i]), int(ys[i])), int(rng.integers(2, 7)), 0, -1)
    return ink


def _wobble(drawn: Pixels, rng: Generator) -> Pixels:
    """Displace by a smooth random field of up to a few pixels, white coming in at the border."""
    cells = int(rng.integers(4, 9))
    return displace([drawn], rng.normal(0, rng.uniform(0.5, 2.5), (2, cells, cells)), cv2.BORDER_CONSTANT)[0]


def displace(images: list[Pixels], nodes: np.ndarray, border: int) -> list[Pixels]:
    """Displace all images alike by the smooth field through some nodes.

    Args:
        nodes: `(2, rows, columns)`, spread evenly over the image: displacements across and down, in pixels.
        border: OpenCV's mode for what comes in at the border; constant is 0.
    """
    height, width = images[0].shape[:2]
    dx, dy = (cv2.resize(f, (width, height), interpolation=cv2.INTER_CUBIC) for f in nodes.astype(np.float32))
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return [cv2.remap(image, x + dx, y + dy, cv2.INTER_LINEAR, borderMode=border) for image in images]
