"""Two renderings of a data set become the domains A and B of a training."""

import shutil
from pathlib import Path

import tyro

from i2i_models.errors import DataError
from i2i_models.images.reading import open_image

from .pairs import on_sheet
from .renderings import new_folder, place, read_split, rendering


def task(
    data: tyro.conf.Positional[Path],
    out: tyro.conf.Positional[Path],
    a: str,
    b: str,
    unpaired: bool = False,
    test_a: str | None = None,
    test_b: str | None = None,
    size: int | None = None,
    margin: int = 0,
) -> None:
    """Lay out two renderings for a training: OUT/trainA, trainB, testA and testB.

    Args:
        data: a folder that `avatars`, `cars`, `fluent` or `earth` made.
        out: the folder to make; a training reads it by --data.
        a: the rendering of domain A, such as shaded, flat or labels.
        b: the rendering of domain B, such as colour, 3d or satellite.
        unpaired: train A and B on different things where the data set has enough of them. By default both are
            trained on all, as pairs. The test pictures are pairs always.
        test_a: the rendering that A is tested on, if another one.
        test_b: the rendering that B is tested on, if another one.
        size: put every picture on a white square of this side, in pixels; by default they stay as they are.
        margin: white pixels kept free on every side of that square.
    """
    if size is None and margin:
        raise DataError("--margin needs --size, the side of the sheet that it is on.")
    if size is not None and not 0 <= 2 * margin < size:
        raise DataError("Twice --margin must be less than --size.")
    split = read_split(data)
    both = sorted({*split.train_a, *split.train_b})
    parts = {
        "trainA": (a, split.train_a if unpaired else both),
        "trainB": (b, split.train_b if unpaired else both),
        "testA": (test_a or a, split.test),
        "testB": (test_b or b, split.test),
    }
    with new_folder(out) as unfinished:
        for part, (kind, names) in parts.items():
            for name, source in _pictures(data, kind, names).items():
                if size is None:
                    place(source, unfinished / part / source.name)
                else:
                    (unfinished / part).mkdir(exist_ok=True)
                    on_sheet(open_image(source), size, margin).save(unfinished / part / f"{name}.png")
        if (data / "palette.json").exists():
            shutil.copyfile(data / "palette.json", unfinished / "palette.json")
    print(", ".join(f"{part} {kind} {len(names):,}" for part, (kind, names) in parts.items()))


def _pictures(data: Path, kind: str, names: list[str]) -> dict[str, Path]:
    """The files of these names in a rendering."""
    kinds = sorted(folder.name for folder in data.iterdir() if folder.is_dir())
    if kind not in kinds:
        raise DataError(f"{data} has no rendering {kind!r}, but {', '.join(kinds)}.")
    pictures = rendering(data / kind)
    if missing := [name for name in names if name not in pictures]:
        raise DataError(f"{data / kind} lacks {missing[0]}, which is in its split: make the data set again.")
    return {name: pictures[name] for name in names}
