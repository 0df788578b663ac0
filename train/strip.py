"""One picture that compares checkpoints on the same inputs: `python -m train strip CHECKPOINT… --data DIR`."""

from pathlib import Path
from typing import Any

import torch
import tyro
from PIL import Image, ImageDraw, ImageFont

import i2i_models as i2i
from i2i_models.directions import Direction
from i2i_models.errors import CheckpointError, TrainingError

from .held_out import held_out, spread

GAP, TITLE = 6, 26
"""White pixels between pictures, and above them for the columns' titles."""


def strip(
    checkpoints: tyro.conf.Positional[list[Path]],
    data: str,
    output: Path,
    split: str = "test",
    direction: Direction = "A2B",
    count: int = 4,
    styles: int = 2,
    side: int = 128,
) -> None:
    """Draw inputs, what each checkpoint makes of them and, where the data are pairs, the truth, a column each.

    Args:
        checkpoints: folders of checkpoints, in the order of the columns.
        data: as for training; the images of its `split` are used.
        output: the PNG to write.
        split: which held-out images.
        direction: of the translation.
        count: how many inputs, spread over the split.
        styles: columns for a checkpoint that has styles, each of one random style.
        side: of each picture, in pixels; a checkpoint works at its own size all the same.
    """
    if min(count, styles, side) < 1:
        raise TrainingError("--count, --styles and --side must be at least 1.")
    translators = [i2i.load(folder) for folder in checkpoints]
    first = translators[0].info
    for translator in translators:
        translator.network.check_direction(direction)
        if translator.info.domains[direction[0]].kind != first.domains[direction[0]].kind:
            raise CheckpointError(
                f"{translator.info.name} does not translate from the same kind of images as {first.name}: "
                "compare checkpoints of one data set."
            )
    images = held_out(first, data, split, max(side, *(translator.info.size for translator in translators)))
    sides = {"A": images.a, "B": images.b}
    chosen = spread(len(sides[direction[0]]), count)
    inputs = [Image.fromarray(sides[direction[0]][i]) for i in chosen]
    columns = [(first.domains[direction[0]].name, inputs)]
    for translator in translators:
        columns += _results(translator, inputs, direction, styles)
    if images.paired:
        columns.append(("truth", [Image.fromarray(sides[direction[2]][i]) for i in chosen]))
    output.parent.mkdir(parents=True, exist_ok=True)
    draw(columns, side).save(output)


def _results(
    translator: i2i.Translator, inputs: list[Image.Image], direction: Direction, styles: int
) -> list[tuple[str, list[Image.Image]]]:
    """A column of results, or one for each style."""
    network: Any = translator.network
    title = network.title
    codes = [translator.encode(image, direction) for image in inputs]
    if not network.style_dim:
        return [(title, [translator.decode(code) for code in codes])]
    drawn = network.sample_styles(styles, torch.Generator().manual_seed(0))
    return [
        (f"{title} {i + 1}" if styles > 1 else title, [translator.decode(code, style) for code in codes])
        for i, style in enumerate(drawn)
    ]


def draw(columns: list[tuple[str, list[Image.Image]]], side: int) -> Image.Image:
    """Titled columns of pictures, each picture made `side` pixels wide and high."""
    rows = len(columns[0][1])
    step = side + GAP
    sheet = Image.new("RGB", (GAP + len(columns) * step, TITLE + rows * step), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(14)
    for column, (title, pictures) in enumerate(columns):
        left = GAP + column * step
        pen.text((left + side / 2, TITLE / 2), title, "black", font, anchor="mm")
        for row, picture in enumerate(pictures):
            method = Image.Resampling.BOX if picture.width > side else Image.Resampling.BICUBIC
            sheet.paste(picture.resize((side, side), method), (left, TITLE + row * step))
    return sheet
