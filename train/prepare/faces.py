"""What the cartoon faces are made of: who has which hair, eyes and colours, and how Adventurer is asked to draw it."""

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FACES = Path(__file__).parent / "faces.csv"
"""Faces 01000 to 03999: a table, so that they stay the same faces whatever random numbers NumPy draws."""
FIRST_FURTHER = 4000
"""The number of the first face that is drawn by chance."""

SKINS = ("f2d3b1", "ecad80", "d08b5b", "9e5622", "763900")
HAIR_COLOURS = (
    "0e0e0e", "85c2c6", "dba3be", "6a4e35", "afafaf", "e5d7a3", "f2c94c",
    "562306", "796a45", "592454", "cb6820", "ab2a18", "3eac2c", "ac6511",
)  # fmt: skip
BACKGROUNDS = (
    "c8e6c9", "ffdfbf", "a8dadc", "d6d6d6", "fff3b0", "ffffff", "f4a7a3", "b6e3f4", "ffd5dc", "c0aede",
)  # fmt: skip
HAIRS = (*(f"long{i:02d}" for i in range(1, 27)), *(f"short{i:02d}" for i in range(1, 20)))
GLASSES = ("01", "02", "05")
"""The variants whose frames show."""
WHITE = "ffffff"


@dataclasses.dataclass(frozen=True)
class Face:
    """One face: Adventurer's components by their numbers, and colours as six hexadecimal digits."""

    number: str
    """Five digits, the name of its files."""
    hair: str
    """long01 to long26, short01 to short19, or empty for none."""
    eyes: str
    eyebrows: str
    mouth: str
    glasses: str
    """The glasses that it has in `glasses`, and elsewhere if `wears_glasses`."""
    wears_glasses: bool
    """Whether it has its glasses in `line`, `shaded` and `colour`."""
    hair_colour: str
    skin: str
    background: str
    hair_shade: str
    """The grey of its hair in `shaded`, from 50 (dark) to e6, or ff for white."""
    skin_shade: str
    """The grey of its skin in `shaded`, from be to fa, or ff for white."""


def faces(count: int) -> Iterator[Face]:
    """The first `count` faces, from 01000 on."""
    with FACES.open(encoding="utf-8", newline="") as table:
        for _, row in zip(range(count), csv.DictReader(table), strict=False):
            yield Face(**{**row, "wears_glasses": row["wears_glasses"] == "1"})  # type: ignore[arg-type]
    for number in range(FIRST_FURTHER, 1000 + count):
        yield random_face(number)


def random_face(number: int) -> Face:
    """The face of this number: every part drawn independently.

    One face in 20 has no hair, three in ten wear glasses; in `shaded` half of the skins and a third of the hairs are
    white, the others of a random grey.
    """
    rng = np.random.default_rng(number)

    def variant(count: int) -> str:
        return f"{rng.integers(1, count + 1):02d}"

    def shade(white: float, low: int, high: int) -> str:
        return "ff" if rng.random() < white else f"{rng.integers(low, high + 1):02x}"

    return Face(
        number=f"{number:05d}",
        hair=rng.choice(HAIRS) if rng.random() < 0.95 else "",
        eyes=variant(26),
        eyebrows=variant(15),
        mouth=variant(30),
        glasses=rng.choice(GLASSES),
        wears_glasses=bool(rng.random() < 0.3),
        hair_colour=rng.choice(HAIR_COLOURS),
        skin=rng.choice(SKINS),
        background=rng.choice(BACKGROUNDS),
        hair_shade=shade(1 / 3, 0x50, 0xE6),
        skin_shade=shade(1 / 2, 0xBE, 0xFA),
    )


def renderings(face: Face) -> dict[str, dict[str, Any]]:
    """DiceBear's options for each rendering of a face: rendering → options."""

    def options(skin: str, hair: str, background: str, glasses: bool) -> dict[str, Any]:
        return {
            "scale": 125,
            "translateY": 4,
            "eyes": [f"variant{face.eyes}"],
            "eyebrows": [f"variant{face.eyebrows}"],
            "mouth": [f"variant{face.mouth}"],
            "hair": [face.hair],
            "hairProbability": 100 if face.hair else 0,
            "glasses": [f"variant{face.glasses}"],
            "glassesProbability": 100 if glasses else 0,
            "featuresProbability": 0,
            "earringsProbability": 0,
            "skinColor": [skin],
            "hairColor": [hair],
            "backgroundColor": [background],
        }

    coloured = (face.skin, face.hair_colour, face.background)
    return {
        "line": options(WHITE, WHITE, WHITE, face.wears_glasses),
        "shaded": options(3 * face.skin_shade, 3 * face.hair_shade, WHITE, face.wears_glasses),
        "colour": options(*coloured, face.wears_glasses),
        "plain": options(*coloured, False),
        "glasses": options(*coloured, True),
    }
