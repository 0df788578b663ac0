"""Turn raw pictures into pairs: `python -m train.prepare outlines|facades FOLDER OUT`."""

import hashlib
from pathlib import Path

import tyro
from PIL import Image
from tqdm import tqdm

from i2i_models.cli import run
from i2i_models.errors import DataError, ImageError
from i2i_models.images.outlines import outline
from i2i_models.images.palettes import flatten_labels, read_palette, write_palette
from i2i_models.images.reading import open_image

from .files import image_files

FACADES = Path(__file__).parent / "palettes" / "facades.json"
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
        inner = size - 2 * margin
        scale = inner / max(picture.size)
        resized = picture.resize(
            (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS
        )
        b = Image.new("RGB", (size, size), "white")
        b.paste(resized, ((size - resized.width) // 2, (size - resized.height) // 2))
        return side_by_side(outline(b), b)

    def split(path: Path) -> str:
        share = int.from_bytes(hashlib.sha256(path.name.encode()).digest()[:4], "big") / 2**32
        return "test" if share < test_fraction else "train"

    write_all([(path, split(path)) for path in image_files(folder)], out, pair)


def facades(folder: tyro.conf.Positional[Path], out: tyro.conf.Positional[Path]) -> None:
    """Make label map→photo pairs of the CMP Facades in the official split.

    Args:
        folder: holds `train`, `val` and `test` with `N.jpg`, photo left and label map right.
        out: where the pairs go: label map left in its exact twelve colours, photo right; and `palette.json`.
    """
    labels = read_palette(FACADES)
    jobs = [(path, name) for name in ("train", "val", "test") for path in image_files(folder / name)]

    def pair(path: Path) -> Image.Image:
        both = open_image(path)
        half = both.width // 2
        photo, drawn = both.crop((0, 0, half, both.height)), both.crop((half, 0, 2 * half, both.height))
        return side_by_side(flatten_labels(drawn, labels.palette), photo)

    write_all(jobs, out, pair)
    write_palette(out / "palette.json", labels)


def side_by_side(a: Image.Image, b: Image.Image) -> Image.Image:
    """A left, B right, both of one size."""
    both = Image.new("RGB", (a.width + b.width, a.height))
    both.paste(a, (0, 0))
    both.paste(b, (a.width, 0))
    return both


def write_all(jobs: list[tuple[Path, str]], out: Path, pair) -> None:
    """Write `pair(path)` as a PNG into the split's folder of `out` for every job; name and count what is skipped."""
    skipped = 0
    for path, split in tqdm(jobs, desc=str(out), unit="image"):
        try:
            image = pair(path)
        except ImageError as error:
            tqdm.write(f"skipped: {error}")
            skipped += 1
            continue
        target = out / split / f"{path.stem}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        image.save(target)
    print(f"{len(jobs) - skipped} pairs in {out}" + (f", {skipped} files skipped." if skipped else "."))


if __name__ == "__main__":
    run(
        lambda: tyro.extras.subcommand_cli_from_dict(
            {"outlines": outlines, "facades": facades}, prog="python -m train.prepare"
        )
    )
