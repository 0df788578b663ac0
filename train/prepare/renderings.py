"""A data set of renderings: the same things drawn in several ways, a folder each, and who is who in the split.

DATA/line/01000.webp     a rendering of thing 01000
DATA/colour/01000.webp   another rendering of the same thing
DATA/split.json          the names to train domain A on, domain B on, and to test on
"""

import contextlib
import dataclasses
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

from i2i_models.errors import DataError, ImageError

from ..data.files import image_files

SPLIT_FILE = "split.json"


@dataclasses.dataclass(frozen=True)
class Split:
    """The names of the things that each domain is trained on and that both are tested on."""

    train_a: list[str]
    train_b: list[str]
    """Disjoint from `train_a`, or the same where a data set is too small to be divided."""
    test: list[str]

    def write(self, folder: Path) -> None:
        """Write `split.json` into a data set's folder.

        Raises:
            DataError: one of the three lists is empty, so that the data set is of no use.
        """
        for name, things in dataclasses.asdict(self).items():
            if not things:
                raise DataError(f"No picture is left for {name} (split.json): check the names of the files.")
        (folder / SPLIT_FILE).write_text(json.dumps(dataclasses.asdict(self)) + "\n", encoding="utf-8")


def read_split(folder: Path) -> Split:
    """Read the split of a data set.

    Raises:
        DataError: the folder is no data set of renderings.
    """
    try:
        return Split(**json.loads((folder / SPLIT_FILE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        raise DataError(
            f"{folder} is no data set of renderings, or an unfinished one: make it by python -m train.prepare "
            "avatars, cars, fluent or earth."
        ) from None


def rendering(folder: Path) -> dict[str, Path]:
    """The pictures of one rendering: name (without suffix) → file."""
    return {path.stem: path for path in image_files(folder)}


def read_renderings(folder: Path, kinds: Sequence[str], side: int) -> dict[str, dict[str, Path]]:
    """The pictures of a ready data set, checked: kind → name → file.

    Raises:
        DataError: a rendering is missing, two have different names, or a picture is not a `side` square.
    """
    found = {kind: rendering(folder / kind) for kind in kinds}
    names = found[kinds[0]].keys()
    for kind, pictures in found.items():
        if odd := sorted(pictures.keys() ^ names):
            raise DataError(f"{folder / kind} and {folder / kinds[0]} must hold the same names, but not both {odd[0]}.")
        for path in pictures.values():
            check_side(path, side)
    return found


def check_side(path: Path, side: int) -> None:
    """Refuse a picture that is not a `side` square, by its header.

    Raises:
        DataError: it has another size.
        ImageError: it is no image.
    """
    try:
        with Image.open(path) as image:
            width, height = image.size
    except OSError:
        raise ImageError(f"{path} is not an image that can be read.") from None
    if (width, height) != (side, side):
        raise DataError(f"{path} is {width}×{height} pixels, but {side}×{side} are expected.")


@contextlib.contextmanager
def new_folder(out: Path) -> Iterator[Path]:
    """A folder to fill, which becomes `out` when the block ends well; nothing of a block that fails remains.

    What an interrupted run could not clean up, the next one removes. So `out` exists only when it is complete.

    Raises:
        DataError: `out` exists and is not an empty folder.
    """
    out = out.absolute()
    if out.exists() and not (out.is_dir() and next(out.iterdir(), None) is None):
        raise DataError(f"{out} exists already: remove it first, or name another folder.")
    unfinished = out.with_name(f"{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        yield unfinished
        if out.exists():
            out.rmdir()
        unfinished.rename(out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def place(source: Path, target: Path) -> None:
    """The same file under another name: a hard link, or a copy where the file system has none.

    Raises:
        DataError: the name is taken.
    """
    target.parent.mkdir(exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except FileExistsError:
        raise DataError(f"{source} has the name of another picture: rename one of them.") from None
    except OSError:
        shutil.copyfile(source, target)
