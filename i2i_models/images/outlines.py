"""Outlines of pictures, made alike for training pairs and for a visitor's photo."""

import cv2
import numpy as np
from PIL import Image, ImageOps, ImageStat

WORKING_SIZE = 256
"""The longer side, in pixels, at which edges are sought: twice the 128 px that the networks see."""
SMALLEST_STROKE = 18
"""Edges of fewer pixels at the working size are specks and dropped."""


def outline(image: Image.Image) -> Image.Image:
    """A picture's outline: black strokes on white, RGB, in the picture's own size.

    Colour regions are flattened (bilateral filter), edges found in lightness and both colour
    channels (Canny on Lab), specks dropped and strokes closed to about 1.5 px at a 128 px size.
    """
    scale = WORKING_SIZE / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BICUBIC))
    smooth = cv2.bilateralFilter(pixels, 7, 40, 5)
    edges: np.ndarray = np.zeros((height, width), np.uint8)
    for channel in cv2.split(cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB)):
        edges = edges | cv2.Canny(channel, 30, 80)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(edges, connectivity=8)
    keep = stats[:, cv2.CC_STAT_AREA] >= SMALLEST_STROKE
    keep[0] = False
    strokes = cv2.dilate(keep[labels].astype(np.uint8) * 255, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    filter = Image.Resampling.BOX if scale > 1 else Image.Resampling.BICUBIC
    return Image.fromarray(255 - strokes).resize(image.size, filter).convert("RGB")


def looks_drawn(image: Image.Image) -> bool:
    """Whether a picture already is a line drawing: mostly white, and nothing in colour."""
    small = image.resize((64, 64), Image.Resampling.BOX)
    colourful = ImageStat.Stat(small.convert("HSV").getchannel("S")).mean[0] > 12
    white = sum(small.convert("L").histogram()[200:]) / 64**2
    return white > 0.6 and not colourful


def dark_on_light(image: Image.Image) -> Image.Image:
    """A drawing of light lines on a dark sheet, inverted; any other RGB picture as it is."""
    small = image.resize((64, 64), Image.Resampling.BOX)
    return ImageOps.invert(image) if looks_drawn(ImageOps.invert(small)) else image


def as_kind(image: Image.Image, kind: str) -> Image.Image:
    """An RGB picture as a domain of that kind has it, in training and in use: outlines dark on light."""
    return dark_on_light(image) if kind == "outline" else image
