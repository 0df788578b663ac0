"""Sketches on paper, photographed by hand under a lamp: the page found and straightened, its shadows taken away."""

import cv2
import numpy as np
from PIL import Image

WORKING_SIZE = 512
"""The longer side, in pixels, at which the page is sought and the sketch is drawn."""
LEAST_PAGE = 0.2
"""Share of the picture that a page must fill to be one."""
INK = (0.002, 0.25)
"""Share of a page that a sketch covers, least and most: more is a photo and no sketch."""
GREY = 40
"""Saturation, of 255, up to which paper counts as white under any lamp."""
DARKER = 0.82
"""Ink is darker than this share of the paper around it."""


def sketch_on_paper(image: Image.Image) -> Image.Image | None:
    """The sketch on a photographed sheet, black on white; None if the picture shows no such thing.

    The largest bright four-cornered shape is taken for the sheet and straightened; without one, the whole picture is.
    Paper is what a wide median of the lightness says, so lamps and soft shadows fall out.
    """
    scale = WORKING_SIZE / max(image.size)
    size = [max(8, round(side * scale)) for side in image.size]
    pixels = np.asarray(image.convert("RGB").resize((size[0], size[1]), Image.Resampling.BOX))
    corners = _page(pixels)
    if corners is not None:
        pixels = _straightened(pixels, corners)
    lightness = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    reach = min(lightness.shape) // 8 * 2 + 1
    paper = cv2.medianBlur(cv2.dilate(lightness, np.ones((7, 7), np.uint8)), reach)
    ratio = cv2.GaussianBlur(lightness, (3, 3), 0).astype(np.float32) / np.maximum(paper, 1)
    ink = ratio < DARKER
    coloured = np.median(cv2.cvtColor(pixels, cv2.COLOR_RGB2HSV)[..., 1]) > GREY
    if coloured or np.median(paper) < 80 or not INK[0] <= ink.mean() <= INK[1]:
        return None
    # A soft edge a few grey levels wide, as strokes drawn on the page have.
    drawn = ((ratio - DARKER + 0.06) / 0.12).clip(0, 1) * 255
    return Image.fromarray(drawn.astype(np.uint8)).convert("RGB")


def _page(pixels: np.ndarray) -> np.ndarray | None:
    """The corners of the largest bright sheet, `(4, 2)`, clockwise from the upper left; None if there is none."""
    grey = cv2.GaussianBlur(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), (7, 7), 0)
    _, bright = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bright = cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8))
    outlines, _ = cv2.findContours(bright, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    height, width = grey.shape
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:3]:
        hull = cv2.convexHull(outline)
        corners = cv2.approxPolyDP(hull, 0.03 * cv2.arcLength(hull, True), True)[:, 0].astype(np.float32)
        share = cv2.contourArea(hull) / (width * height)
        if len(corners) == 4 and LEAST_PAGE < share < 0.95:
            sums, differences = corners.sum(1), corners[:, 1] - corners[:, 0]
            order = [sums.argmin(), differences.argmin(), sums.argmax(), differences.argmax()]
            return corners[order] if len(set(map(int, order))) == 4 else None
    return None


def _straightened(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """The sheet alone, seen from above, without the outermost pixels, where the table shows."""
    a, b, c, d = corners
    width = max(16, round(float(max(np.linalg.norm(b - a), np.linalg.norm(c - d)))))
    height = max(16, round(float(max(np.linalg.norm(d - a), np.linalg.norm(c - b)))))
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    straight = cv2.warpPerspective(pixels, cv2.getPerspectiveTransform(corners, target), (width, height))
    edge = max(2, min(width, height) // 40)
    return straight[edge:-edge, edge:-edge]
