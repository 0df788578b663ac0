"""What a training would see in a data set, said before anyone waits for it."""

import contextlib
import dataclasses
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import tyro
from PIL import Image

from i2i_models.errors import DataError, ImageError

from .augmentation import Augmentation
from .images import MIN_SIDE
from .layouts import find
from .sources import Ranges, Source, Sources, spread, value_ranges

SHOWN, SHOWN_SIDE, GAP = 8, 128, 4
"""Columns of the contact sheet, and the pixels of a picture and between two."""
WRITTEN = re.compile(
    r"(?<![^\W_])(letters?|digits?|numerals?|glyphs?|fonts?|texts?|characters?|alphabets?|handwriting|calligraphy|words?"
    r"|kanji|hanzi|hangul|signs?|plates?|e?mnist|usps|svhn)(?![^\W_])",
    re.IGNORECASE,
)
"""Names of what must not be mirrored."""


@dataclasses.dataclass
class Found:
    """What one domain of a split holds."""

    usable: int = 0
    sizes: Counter[tuple[int, int]] = dataclasses.field(default_factory=Counter)
    """(width, height) → how many."""
    modes: Counter[str] = dataclasses.field(default_factory=Counter)
    """By Pillow's names of how files store pixels → how many."""
    grey: int = 0
    """How many are without colour."""
    elongated: int = 0
    skipped: list[str] = dataclasses.field(default_factory=list)
    """Why, a sentence each."""
    shown: list[Image.Image] = dataclasses.field(default_factory=list)

    def add(self, source: Source, show: bool) -> None:
        """Read an image and note what it is."""
        try:
            pixels = source.read()
        except ImageError as error:
            self.skipped.append(str(error))
            return
        height, width = pixels.shape[:2]
        if min(height, width) < MIN_SIDE:
            self.skipped.append(f"{source.name} is {width}×{height} pixels; at least {MIN_SIDE} a side are needed.")
            return
        self.usable += 1
        self.sizes[width, height] += 1
        if mode := source.mode:
            self.modes[mode] += 1
        self.grey += bool((np.ptp(pixels, axis=2) <= 2).all())
        self.elongated += max(height, width) > 1.1 * min(height, width)
        if show:
            image = Image.fromarray(pixels)
            image.thumbnail((SHOWN_SIDE, SHOWN_SIDE))
            self.shown.append(image)

    def lines(self) -> Iterator[str]:
        """What was found, in words."""
        if self.sizes:
            low, high = min(self.sizes, key=np.prod), max(self.sizes, key=np.prod)
            size = f"{low[0]}×{low[1]}" + (f" to {high[0]}×{high[1]}" if low != high else "")
            yield f"{self.usable} images of {size} pixels" + (f", {self.grey} of them grey" if self.grey else "")
        else:
            yield "no image that can be used"
        if self.modes:
            by_count = sorted(self.modes.items(), key=lambda one: (-one[1], one[0]))
            yield "stored as " + ", ".join(f"{count} {mode}" for mode, count in by_count)
        if self.elongated:
            yield f"{self.elongated} not square: a training step sees a random square along their length"
        if self.skipped:
            yield f"{len(self.skipped)} skipped:"
            yield from (f"  {sentence}" for sentence in self.skipped[:20])


def check(data: tyro.conf.Positional[str], output: Path = Path("contact-sheet.png")) -> None:
    """Say what a training would see in a data set: counts, sizes, modes, what is skipped and why. Trains nothing.

    Args:
        data: a folder or a Hub data set owner/name, as for training.
        output: where a contact sheet goes, a PNG: some images of A above those of B.
    """
    sources = find(data)
    ranges = value_ranges(sources)
    found = _look(sources.in_ranges(ranges))
    print(f"{data}: {'pairs' if sources.paired else 'two domains without pairs'}.")
    for domain, of_domain in zip("AB", found, strict=True):
        for line in of_domain.lines():
            print(f"{domain}: {line}")
    for line in range_lines(ranges):
        print(line)
    for split in ("val", "test"):
        with contextlib.suppress(DataError):
            held_out = find(data, split)
            print(f"{split}: {len(held_out.a)} of A and {len(held_out.b)} of B held out.")
    if not sources.paired and max(len(sources.a), len(sources.b)) > 10 * min(len(sources.a), len(sources.b)):
        print("One domain has more than ten times as many images as the other: the fewer are seen as much more often.")
    output.parent.mkdir(parents=True, exist_ok=True)
    contact_sheet((of_domain.shown[:SHOWN] for of_domain in found), SHOWN, GAP, "lightgrey").save(output, "PNG")
    print(f"Wrote {output}.")


def range_lines(ranges: Ranges) -> Iterator[str]:
    """How values of more than 8 bits are read, a line for each domain that has them."""
    for domain, value_range in zip("AB", ranges, strict=True):
        if value_range:
            low, high = value_range
            yield f"{domain} has more than 8 bits: {low:g} is black, {high:g} white, in all files (--range LOW HIGH)."


def augmentation_line(augment: Augmentation, size: int, *names: str) -> str:
    """What augmentation does, and how to turn mirroring off where it does harm.

    Args:
        names: of the data and its domains; where they speak of letters or digits, mirroring is advised against.
    """
    does = [f"{name.replace('_', ' ')} {value:g}".removesuffix(" 1") for name, value in _used(augment)]
    large = round(size * augment.enlarge)
    does.insert(0, f"enlarged to {large} and cropped to {size} px" if large != size else f"{size} px")
    line = f"Images are {', '.join(does)}."
    if not augment.mirror:
        return line
    if written := WRITTEN.search(" ".join(Path(name).name for name in names)):
        return f"{line} By their name they show {written[0].lower()}, which a mirror makes wrong: add --no-mirror."
    return line + " If they show text or digits, or left is not right: --no-mirror."


def _used(augment: Augmentation) -> Iterator[tuple[str, float]]:
    for name, value in dataclasses.asdict(augment).items():
        if value and name != "enlarge":
            yield {"mirror": "mirrored by chance", "warp": "warped by"}.get(name, name), float(value)


def _look(sources: Sources) -> tuple[Found, Found]:
    found = Found(), Found()
    for of_domain, images in zip(found, (sources.a, sources.b), strict=True):
        shown = set(spread(len(images), SHOWN))
        for i, source in enumerate(images):
            of_domain.add(source, i in shown)
    return found


def contact_sheet(rows: Iterable[Iterable[Image.Image]], columns: int, gap: int, paper: str) -> Image.Image:
    """Images of A above those of B, in places of SHOWN_SIDE pixels.

    Args:
        columns: how many images a row has room for.
        gap: pixels between two places.
        paper: the colour between them.
    """
    step = SHOWN_SIDE + gap
    sheet = Image.new("RGB", (columns * step - gap, 2 * step - gap), paper)
    for row, images in enumerate(rows):
        for column, image in enumerate(images):
            sheet.paste(image, (column * step, row * step))
    return sheet
