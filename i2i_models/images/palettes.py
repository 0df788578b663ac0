"""Palettes: a label map is a picture whose colours mean something, and a palette says what.

A palette belongs to its data, never to the code: `python -m train.prepare` writes it beside them as `palette.json`, a
training reads it with `--palette FILE`, and the checkpoint's `config.json` carries it to the page.
"""

import dataclasses
import json
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import DataError

Palette = dict[str, tuple[int, int, int]]
"""Label name → its RGB colour, 0 … 255 each; the order of the labels is that of a label reader's channels."""


@dataclasses.dataclass(frozen=True)
class LabelSet:
    """What a palette file says: the labels' colours, and with which of them a drawing begins."""

    palette: Palette
    background: str
    """The label of a blank drawing."""
    foreground: str
    """The label of the first stroke."""
    rough: bool = False
    """Whether strokes have rough edges, since nature draws them, not people."""


def read_palette(path: Path) -> LabelSet:
    """Read a palette file: `{"palette": {name: [red, green, blue], …}, "background": name, "foreground": name}`.

    Without `background` a drawing begins with the first label, without `foreground` the first stroke has the last one.
    `"rough": true` gives strokes rough edges.

    Raises:
        DataError: the file is missing or holds something else; the message says what is expected.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        palette = {str(name): read_colour(colour) for name, colour in found["palette"].items()}
        labels = LabelSet(
            palette,
            found.get("background", next(iter(palette))),
            found.get("foreground", list(palette)[-1]),
            found.get("rough", False),
        )
        if (
            not {labels.background, labels.foreground} <= set(palette)
            or not 2 <= len(palette) == len(set(palette.values()))
            or not isinstance(labels.rough, bool)
        ):
            raise ValueError
    except FileNotFoundError:
        raise DataError(f"{path} does not exist: give a palette file, such as train/palettes/facades.json.") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, StopIteration, RecursionError):
        raise DataError(
            f'{path} is no palette: it must be JSON like {{"palette": {{"sea": [0, 0, 200], "land": [90, 160, 60]}}, '
            '"background": "sea", "foreground": "land"}, with two colours or more, all different.'
        ) from None
    return labels


def write_palette(path: Path, labels: LabelSet) -> None:
    """Write a palette file, as `read_palette` reads it."""
    path.write_text(json.dumps(dataclasses.asdict(labels), indent=2) + "\n", encoding="utf-8")


def nearest_label(image: Image.Image, palette: Palette) -> np.ndarray:
    """The index `(H, W)`, int64, of the palette colour nearest to each pixel (squared RGB distance)."""
    pixels = np.asarray(image.convert("RGB"), dtype=np.int32)
    colours = np.array(list(palette.values()), dtype=np.int32)
    return ((pixels[:, :, None] - colours) ** 2).sum(-1).argmin(-1)


def flatten_labels(image: Image.Image, palette: Palette) -> Image.Image:
    """Every pixel in the exact palette colour nearest to it: undoes what JPEG did to a label map."""
    colours = np.array(list(palette.values()), dtype=np.uint8)
    return Image.fromarray(colours[nearest_label(image, palette)])


def read_colour(values: object) -> tuple[int, int, int]:
    """A colour out of JSON. Raises ValueError for anything but three whole numbers in 0 … 255."""
    if not isinstance(values, list | tuple):
        raise ValueError
    red, green, blue = values
    if not all(type(v) is int and 0 <= v <= 255 for v in (red, green, blue)):
        raise ValueError
    return red, green, blue
