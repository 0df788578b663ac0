"""Cartoon faces in five renderings: "Adventurer" by Lisa Wischofsky (CC BY 4.0), drawn by DiceBear."""

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import tyro
from PIL import Image
from tqdm import tqdm

from i2i_models.errors import DataError
from i2i_models.images.reading import open_image

from .faces import BACKGROUNDS, HAIR_COLOURS, SKINS, Face, faces, renderings
from .node import draw
from .renderings import Split, new_folder, place, read_renderings

KINDS = ("line", "shaded", "colour", "plain", "glasses")
GREY = ("line", "shaded")
SIDE = 128
ATTRIBUTES = ("hair", "skin", "background", "glasses")
MIN_SEEN = 100
"""Pixels that must have a colour exactly; the smallest hair has 374, and teeth have up to 24 of a hair's grey."""
FIRST_OF_B, FIRST_OF_TEST, LAST_OF_TEST = "02350", "03700", "03999"


def avatars(
    out: tyro.conf.Positional[Path],
    count: int = 3000,
    source: Annotated[Path | None, tyro.conf.arg(name="from")] = None,
) -> None:
    """Make cartoon faces, 128×128, five times each: line, shaded, colour, plain and glasses.

    `line` has black lines on white; `shaded` has skin and hair in random greys; `colour` has skin, hair and
    background in colours, and 3 faces in 10 wear glasses, as they do in `line` and `shaded`; `plain` is `colour`
    without glasses, `glasses` is `colour` with glasses. OUT/attributes.csv tells each face's colours and glasses.

    Args:
        out: the folder to make.
        count: how many faces. 3,000 are 01000 to 02349 for domain A, to 03699 for B and to 03999 for tests; further
            ones are trained on, even numbers by A and odd ones by B.
        source: a ready folder with the five renderings, instead of drawing them.
    """
    if source is None and count < 3000:
        raise DataError("--count must be 3000 or more: the last 300 of the first 3,000 faces are the test.")
    with new_folder(out) as unfinished:
        if source is None:
            draw_faces(list(faces(count)), unfinished)
        else:
            for kind, pictures in read_renderings(source, KINDS, SIDE).items():
                for path in pictures.values():
                    place(path, unfinished / kind / path.name)
        names = write_attributes(unfinished)
        split_faces(names).write(unfinished)
    print(f"{len(names):,} faces in {out}.")


def draw_faces(wanted: list[Face], out: Path) -> None:
    """Draw all renderings of the faces as OUT/KIND/NUMBER.webp, lossless."""
    jobs = [(face.number, kind, options) for face in wanted for kind, options in renderings(face).items()]
    for kind in KINDS:
        (out / kind).mkdir()
    drawn = draw(({"avatar": options} for _, _, options in jobs), SIDE)
    for (number, kind, _), pixels in tqdm(zip(jobs, drawn, strict=True), total=len(jobs), unit="picture"):
        picture = Image.fromarray(pixels).convert("RGB")
        if kind in GREY:
            picture = picture.convert("L").convert("RGB")
        picture.save(out / kind / f"{number}.webp", lossless=True)


def split_faces(numbers: Iterable[str]) -> Split:
    """Who trains domain A, who trains B, and who is for tests, by the faces' numbers of five digits.

    Raises:
        DataError: a name is no number of a face.
    """
    split = Split([], [], [])
    for number in sorted(numbers):
        if not (number.isdecimal() and len(number) == 5):
            raise DataError(f"{number!r} is no number of a face: they are 01000, 01001 and so on.")
        if number < FIRST_OF_B:
            split.train_a.append(number)
        elif number < FIRST_OF_TEST:
            split.train_b.append(number)
        elif number <= LAST_OF_TEST:
            split.test.append(number)
        else:
            (split.train_b if int(number) % 2 else split.train_a).append(number)
    return split


def write_attributes(data: Path) -> list[str]:
    """Write attributes.csv, read off the pictures of `colour` and `plain`; return the faces' numbers."""
    numbers = sorted(path.stem for path in (data / "plain").iterdir())
    with (data / "attributes.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, ("number", *ATTRIBUTES))
        table.writeheader()
        for number in numbers:
            colour, plain = (
                np.asarray(open_image(next((data / kind).glob(f"{number}.*")))) for kind in ("colour", "plain")
            )
            table.writerow({"number": number, **read_attributes(colour, plain)})
    return numbers


def read_attributes(colour: np.ndarray, plain: np.ndarray) -> Mapping[str, str]:
    """The colours of a face as `#rrggbb`, and whether it wears glasses, 1 or 0.

    Args:
        colour: uint8 `(H, W, 3)`, the face in its rendering `colour`.
        plain: the same without glasses.

    Returns:
        A value for each of `ATTRIBUTES`; empty where nothing is seen, as the hair of a bald head.
    """
    codes = plain.astype(np.int32) @ (65536, 256, 1)
    found = {
        name: _most_seen(codes, palette)
        for name, palette in (("hair", HAIR_COLOURS), ("skin", SKINS), ("background", BACKGROUNDS))
    }
    return {**found, "glasses": str(int((colour != plain).any()))}


def _most_seen(codes: np.ndarray, palette: tuple[str, ...]) -> str:
    """The palette's colour that most pixels have exactly, if at least MIN_SEEN have it."""
    counts = [int((codes == int(colour, 16)).sum()) for colour in palette]
    most = int(np.argmax(counts))
    return f"#{palette[most]}" if counts[most] >= MIN_SEEN else ""
