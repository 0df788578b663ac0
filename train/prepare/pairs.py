"""Raw pictures to pairs, side by side in one file: outlines of any pictures, and the CMP Facades."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import tyro
from PIL import Image
from tqdm import tqdm

from i2i_models.errors import DataError, ImageError
from i2i_models.images.outlines import outline
from i2i_models.images.palettes import flatten_labels, read_palette, write_palette
from i2i_models.images.reading import open_image

from ..data.files import image_files
from .renderings import new_folder

PALETTE = Path(__file__).parents[1] / "palettes" / "facades.json"
"""The twelve classes of the CMP Facade Database in the colours of the pix2pix data set."""


def outlines(
    folder: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    size: int = 128,
    margin: int = 8,
    test_fraction: float = 0.1,
) -> None:
    """Make outline→picture pairs, side by side, in OUT/train and OUT/test.

    Args:
        folder: pictures of any size and mode; transparency becomes white.
        out: where the pairs go, as `train/NAME.png` and `test/NAME.png`.
        size: side of each square image, in pixels.
        margin: white pixels kept free on every side.
        test_fraction: share of the files that is held out. A file's name alone decides its side,
            so the split stays the same when files are added.
    """
    if not 0 <= test_fraction < 1 or not 0 <= 2 * margin < size:
        raise DataError("--test-fraction must lie in [0, 1) and twice --margin must be less than --size.")

    def pair(path: Path) -> Image.Image:
        picture = open_image(path)
        picture.thumbnail((4 * size, 4 * size))
        b = on_sheet(picture, size, margin)
        return side_by_side(outline(b), b)

    def split(path: Path) -> str:
        share = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4], "big") / 2**32
        return "test" if share < test_fraction else "train"

    jobs = [(path, split(path)) for path in image_files(folder)]
    with new_folder(out) as unfinished:
        write_all(jobs, unfinished, pair)


def facades(folder: tyro.conf.Positional[Path], out: tyro.conf.Positional[Path]) -> None:
    """Make label map→photo pairs of the CMP Facades in the official split.

    Args:
        folder: holds `train`, `val` and `test` with `N.jpg`, photo left and label map right.
        out: where the pairs go: label map left in its exact twelve colours, photo right; and `palette.json`.
    """
    labels = read_palette(PALETTE)
    jobs = [(path, name) for name in ("train", "val", "test") for path in image_files(folder / name)]

    def pair(path: Path) -> Image.Image:
        both = open_image(path)
        half = both.width // 2
        photo, drawn = both.crop((0, 0, half, both.height)), both.crop((half, 0, 2 * half, both.height))
        return side_by_side(flatten_labels(drawn, labels.palette), photo)

    with new_folder(out) as unfinished:
        write_all(jobs, unfinished, pair)
        write_palette(unfinished / "palette.json", labels)


def on_sheet(picture: Image.Image, size: int, margin: int) -> Image.Image:
    """The picture, as large as it fits, in the middle of a white `size` square with a free `margin`."""
    scale = (size - 2 * margin) / max(picture.size)
    width, height = (max(1, round(side * scale)) for side in picture.size)
    sheet = Image.new("RGB", (size, size), "white")
    sheet.paste(picture.resize((width, height), Image.Resampling.LANCZOS), ((size - width) // 2, (size - height) // 2))
    return sheet


def side_by_side(a: Image.Image, b: Image.Image) -> Image.Image:
    """A left, B right, both of one size."""
    both = Image.new("RGB", (a.width + b.width, a.height))
    both.paste(a, (0, 0))
    both.paste(b, (a.width, 0))
    return both


def write_all(jobs: list[tuple[Path, str]], out: Path, pair: Callable[[Path], Image.Image]) -> None:
    """Write `pair(path)` as a PNG into the split's folder of `out` for every job; name and count what is skipped."""
    skipped = 0
    for path, split in tqdm(jobs, unit="image"):
        try:
            image = pair(path)
        except ImageError as error:
            tqdm.write(f"skipped: {error}")
            skipped += 1
            continue
        target = out / split / f"{path.stem}.png"
        target.parent.mkdir(exist_ok=True)
        image.save(target)
    print(f"{len(jobs) - skipped} pairs" + (f", {skipped} files skipped." if skipped else "."))
