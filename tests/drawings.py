"""Ten things and twelve faces as people draw them, as strokes of a mouse: what a sketch model is judged on, too.

`PYTHONPATH=. python tests/drawings.py SHEET.png CHECKPOINT…` draws them all (faces, where it makes avatars) and what
the checkpoints make of them, MUNIT in four styles.
"""

import math
import sys

import numpy as np
from PIL import Image, ImageDraw

Point = tuple[float, float]
Stroke = list[Point]


def arc(x: float, y: float, rx: float, ry: float, start: float = 0, end: float = 360, points: int = 24) -> Stroke:
    """Part of an ellipse around (x, y), angles in degrees clockwise from the right."""
    angles = np.radians(np.linspace(start, end, points))
    return [(x + rx * math.cos(a), y + ry * math.sin(a)) for a in angles]


def star(x: float, y: float, outer: float, inner: float) -> Stroke:
    """Five points, the first upwards."""
    radii = [outer, inner] * 5
    turns = [math.radians(-90 + 36 * i) for i in range(11)]
    return [(x + r * math.cos(t), y + r * math.sin(t)) for r, t in zip([*radii, outer], turns, strict=True)]


def heart(x: float, y: float, scale: float) -> Stroke:
    """The usual curve."""
    turns = np.linspace(0, 2 * math.pi, 40)
    return [
        (
            x + scale * math.sin(t) ** 3,
            y - scale * (13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t)) / 16,
        )
        for t in turns
    ]


DRAWINGS: dict[str, list[Stroke]] = {
    "smile": [
        arc(0.5, 0.5, 0.4, 0.39, -95, 268, 40),
        arc(0.36, 0.4, 0.035, 0.05),
        arc(0.64, 0.41, 0.035, 0.05),
        arc(0.5, 0.53, 0.22, 0.19, 12, 168),
    ],
    "cat": [
        [(0.18, 0.45), (0.16, 0.12), (0.36, 0.25), (0.5, 0.23), (0.64, 0.25), (0.85, 0.12), (0.83, 0.46)],
        arc(0.5, 0.5, 0.34, 0.36, -8, 188, 30),
        arc(0.36, 0.46, 0.04, 0.05),
        arc(0.64, 0.46, 0.04, 0.05),
        [(0.46, 0.6), (0.54, 0.6), (0.5, 0.65), (0.46, 0.6)],
        arc(0.44, 0.66, 0.06, 0.05, 0, 170),
        arc(0.56, 0.66, 0.06, 0.05, 10, 180),
        [(0.06, 0.55), (0.28, 0.6)],
        [(0.07, 0.7), (0.28, 0.66)],
        [(0.94, 0.55), (0.72, 0.6)],
        [(0.93, 0.7), (0.72, 0.66)],
    ],
    "house": [
        [(0.2, 0.48), (0.2, 0.88), (0.8, 0.88), (0.81, 0.47)],
        [(0.1, 0.5), (0.5, 0.13), (0.91, 0.5), (0.1, 0.5)],
        [(0.43, 0.88), (0.43, 0.64), (0.58, 0.64), (0.58, 0.88)],
        [(0.27, 0.56), (0.38, 0.56), (0.38, 0.67), (0.27, 0.67), (0.27, 0.56)],
        [(0.64, 0.56), (0.75, 0.56), (0.75, 0.67), (0.64, 0.67), (0.64, 0.56)],
    ],
    "fish": [
        arc(0.42, 0.5, 0.32, 0.22, 20, 340, 36),
        [(0.72, 0.42), (0.92, 0.28), (0.88, 0.5), (0.92, 0.72), (0.72, 0.58)],
        arc(0.25, 0.44, 0.03, 0.03),
        arc(0.1, 0.5, 0.28, 0.2, -40, 40),
        [(0.4, 0.29), (0.5, 0.18), (0.56, 0.32)],
    ],
    "mug": [
        [(0.18, 0.24), (0.2, 0.82), (0.66, 0.83), (0.69, 0.24)],
        arc(0.435, 0.24, 0.255, 0.07),
        arc(0.68, 0.48, 0.2, 0.17, -80, 92),
        arc(0.68, 0.48, 0.12, 0.1, -80, 92),
    ],
    "star": [star(0.5, 0.53, 0.43, 0.18)],
    "heart": [heart(0.5, 0.46, 0.4)],
    "tree": [
        [(0.44, 0.92), (0.45, 0.62), (0.56, 0.62), (0.57, 0.92), (0.44, 0.92)],
        arc(0.5, 0.38, 0.3, 0.29, 65, 425, 32),
    ],
    "car": [
        [(0.06, 0.68), (0.08, 0.5), (0.26, 0.46), (0.38, 0.28), (0.68, 0.28), (0.8, 0.47), (0.94, 0.52), (0.94, 0.68)],
        [(0.06, 0.68), (0.94, 0.68)],
        arc(0.27, 0.69, 0.1, 0.1),
        arc(0.73, 0.69, 0.1, 0.1),
        [(0.34, 0.46), (0.42, 0.34), (0.52, 0.34), (0.52, 0.46), (0.34, 0.46)],
        [(0.57, 0.46), (0.57, 0.34), (0.66, 0.34), (0.73, 0.46), (0.57, 0.46)],
    ],
    "flower": [
        *(arc(0.5 + 0.2 * math.cos(t), 0.33 + 0.2 * math.sin(t), 0.11, 0.11) for t in np.linspace(0, 5.2, 6)),
        arc(0.5, 0.33, 0.1, 0.1),
        [(0.5, 0.63), (0.5, 0.94)],
        [(0.5, 0.85), (0.62, 0.72), (0.68, 0.76), (0.6, 0.86), (0.5, 0.88)],
    ],
}

EARS = arc(0.8, 0.6, 0.06, 0.08, -110, 120, 12)
HAIR: dict[str, list[Stroke]] = {
    "bald": [],
    "bob": [
        [(0.14, 0.72), (0.1, 0.5), (0.14, 0.26), (0.3, 0.1), (0.5, 0.06), (0.7, 0.1), (0.85, 0.28), (0.88, 0.52),
         (0.85, 0.76), (0.76, 0.74), (0.78, 0.5), (0.66, 0.36), (0.4, 0.42), (0.22, 0.4), (0.2, 0.7), (0.14, 0.72)],
    ],
    "curls": [
        [p for i in range(9) for p in arc(0.14 + 0.09 * i, 0.3 - 0.2 * math.sin(math.pi * i / 8), 0.075, 0.075, 150,
         390, 8)],
        [(0.17, 0.42), (0.3, 0.36), (0.5, 0.37), (0.68, 0.36), (0.83, 0.4)],
    ],
    "tail": [
        [(0.16, 0.48), (0.2, 0.25), (0.36, 0.14), (0.56, 0.13), (0.74, 0.24), (0.82, 0.42), (0.8, 0.52)],
        [(0.16, 0.48), (0.34, 0.38), (0.56, 0.3), (0.8, 0.52)],
        [(0.72, 0.2), (0.86, 0.16), (0.95, 0.34), (0.93, 0.6), (0.97, 0.74), (0.87, 0.68), (0.85, 0.45), (0.8, 0.34)],
    ],
    "fringe": [
        [(0.15, 0.55), (0.12, 0.34), (0.26, 0.14), (0.5, 0.08), (0.74, 0.15), (0.86, 0.34), (0.83, 0.56), (0.74, 0.42),
         (0.66, 0.5), (0.6, 0.4), (0.5, 0.5), (0.44, 0.38), (0.34, 0.5), (0.28, 0.42), (0.15, 0.55)],
    ],
    "spikes": [
        [(0.15, 0.5), (0.08, 0.3), (0.22, 0.32), (0.2, 0.1), (0.36, 0.2), (0.42, 0.02), (0.53, 0.17), (0.66, 0.04),
         (0.7, 0.2), (0.88, 0.12), (0.83, 0.32), (0.95, 0.36), (0.82, 0.5)],
        [(0.15, 0.5), (0.3, 0.38), (0.5, 0.35), (0.7, 0.38), (0.82, 0.5)],
    ],
}  # fmt: skip
EYES: list[list[Stroke]] = [
    [arc(0.32, 0.54, 0.02, 0.03), arc(0.56, 0.54, 0.02, 0.03)],
    [*(arc(x, 0.55, r, r) for x in (0.3, 0.56) for r in (0.07, 0.015))],
    [*(arc(x, 0.55, r, r) for x in (0.3, 0.56) for r in (0.1, 0.02)), [(0.4, 0.54), (0.46, 0.54)],
     [(0.66, 0.53), (0.8, 0.52)]],
]  # fmt: skip
MOUTHS: list[Stroke] = [
    arc(0.44, 0.68, 0.13, 0.1, 20, 160),
    [*arc(0.44, 0.7, 0.13, 0.11, 0, 180), (0.57, 0.7)],
    [(0.34, 0.77), (0.44, 0.75), (0.54, 0.77)],
]
BROWS: list[list[Stroke]] = [
    [],
    [[(0.22, 0.44), (0.3, 0.42), (0.38, 0.44)], [(0.48, 0.44), (0.56, 0.42), (0.64, 0.44)]],
]
FACES: dict[str, list[Stroke]] = {
    f"{name} {i}": [
        arc(0.48, 0.55, 0.33, 0.36, -170 if name == "bald" else -25, 190 if name == "bald" else 205, 40),
        EARS,
        *hair,
        *EYES[(i + j) % 3],
        [(0.45, 0.56), (0.41, 0.63), (0.45, 0.64)],
        MOUTHS[(2 * i + j) % 3],
        *BROWS[i],
    ]
    for j, (name, hair) in enumerate(HAIR.items())
    for i in range(2)
}


def wobbly(stroke: Stroke, rng: np.random.Generator) -> Stroke:
    """A hand's version of a stroke: a slow drift of about one hundredth of the sheet."""
    drift = np.cumsum(rng.normal(0, 0.0025, (len(stroke), 2)), 0)
    return [(x + float(dx), y + float(dy)) for (x, y), (dx, dy) in zip(stroke, drift, strict=True)]


def render(strokes: list[Stroke], size: int = 128, width: float = 2.2, seed: int = 0) -> Image.Image:
    """A drawing as the page sends it: black strokes `width` pixels wide (at 128) on white."""
    rng = np.random.default_rng(seed)
    large = 4 * size
    sheet = Image.new("RGB", (large, large), "white")
    draw = ImageDraw.Draw(sheet)
    pen = max(1, round(width * large / 128))
    for stroke in strokes:
        points = [(x * large, y * large) for x, y in wobbly(stroke, rng)]
        draw.line(points, fill="black", width=pen, joint="curve")
        for x, y in (points[0], points[-1]):
            draw.ellipse((x - pen / 2, y - pen / 2, x + pen / 2, y + pen / 2), fill="black")
    return sheet.resize((size, size), Image.Resampling.BOX)


def sheet(checkpoints: list[str]) -> Image.Image:
    """All drawings over what each checkpoint makes of them."""
    import i2i_models as i2i

    translators = [i2i.load(checkpoint) for checkpoint in checkpoints]
    info = translators[0].info
    size = info.size
    drawings = [
        render(strokes, size) for strokes in (FACES if info.domains["B"].name == "avatar" else DRAWINGS).values()
    ]
    rows = [drawings]
    for translator in translators:
        for seed in range(4) if translator.network.method == "munit" else (None,):
            rows.append([translator.translate(drawing, seed=seed) for drawing in drawings])
    both = Image.new("RGB", (size * len(drawings), size * len(rows)), "white")
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            both.paste(picture, (x * size, y * size))
    return both


if __name__ == "__main__":
    sheet(sys.argv[2:]).save(sys.argv[1])
