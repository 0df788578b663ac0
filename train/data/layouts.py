"""The layouts of data sets that training knows: folders of files, and data sets of the Hugging Face Hub.

| layout, for the split `train` | what it is |
|---|---|
| images in the folder, in its `train/`, or in folders below these | A|B side by side in each image |
| `trainA/` + `trainB/`, also `train_A`, `train-A` | two domains |
| `train/A/` + `train/B/` | two domains |
| `A/train/` + `B/train/` | two domains |
| `A/` + `B/`, for training alone | two domains |

Upper and lower case of folders are the same. Two domains are pairs where their files have the same names, endings
apart; `val` may be called `valid` or `validation`, and `train` `training`.
"""

import contextlib
import logging
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from i2i_models.errors import DataError, ImageError
from i2i_models.images.reading import OWN_MAX_PIXELS, open_image

from .files import image_files
from .hub import find_on_hub
from .sources import ImageFile, Source, Sources

log = logging.getLogger(__name__)
CALLED = {"train": ("train", "training"), "val": ("val", "valid", "validation"), "test": ("test", "testing")}
"""The names that a split's folder may have."""
MOSTLY = 0.95
"""Share of names that must be equal for two folders to be pairs of which some lack a partner; one always may."""
FEWEST = 3
"""Equal names, or all, without which there are no pairs."""
WIDE = 1.2
"""Width over height from which a picture may be two side by side."""
MOST_OPENED = 4
"""Folders whose first picture is looked at."""
WORKING = (
    "Two layouts that work: images with A and B side by side in DATA/train/, or the images of the two domains in "
    "DATA/trainA/ and DATA/trainB/ (equal names make pairs)."
)


def find(data: str, split: str = "train") -> Sources:
    """Find the images of a split in one of the known layouts.

    Args:
        data: a folder as the table above says, or the name `owner/name` of a Hub data set.

    Raises:
        DataError: none of these is there; the message shows layouts that work and what was found.
    """
    folder = Path(data)
    if not folder.exists():
        if data.count("/") == 1 and not data.startswith((".", "/", "~")):
            return find_on_hub(data, split)
        raise DataError(f"{data} does not exist: give a folder of images or a Hub data set as owner/name.")
    if not folder.is_dir():
        raise DataError(f"{data} is a file: give the folder that the images lie in.")
    empty: DataError | None = None
    for a, b in _domain_folders(folder, split):
        if a and b:
            try:
                sources = _two_folders(a, b)
            except DataError as error:
                empty = empty or error
                continue
            if empty:
                log.warning("%s Used instead: %s and %s.", empty, a, b)
            return sources
    if empty:
        raise DataError(f"{empty} {WORKING} {_found(folder)}")
    inner = next(filter(None, (_below(folder, name) for name in CALLED.get(split, (split,)))), None)
    if inner is None and split == "train" and not any(map(_is_of_a_split, _folders(folder))):
        inner = folder
    try:
        files = image_files(inner or folder / split, [path for path in _folders(folder) if _is_apart(path)])
        _check_halves(files, inner or folder)
        return Sources.side_by_side([ImageFile(path) for path in files])
    except DataError as error:
        raise DataError(f"{error} {WORKING} {_found(folder)}") from None


def _domain_folders(folder: Path, split: str) -> Iterator[tuple[Path | None, Path | None]]:
    """The folders of A and B in each layout that has them, None where there is none."""
    for name in CALLED.get(split, (split,)):
        for between in ("", "_", "-"):
            yield _below(folder, f"{name}{between}A"), _below(folder, f"{name}{between}B")
        yield _below(folder, name, "A"), _below(folder, name, "B")
        yield _below(folder, "A", name), _below(folder, "B", name)
    if split == "train":
        yield _below(folder, "A"), _below(folder, "B")


def _below(folder: Path, *names: str) -> Path | None:
    """A folder below another, upper and lower case apart."""
    for name in names:
        found = [path for path in _folders(folder) if path.name.lower() == name.lower()]
        if not found:
            return None
        folder = next((path for path in found if path.name == name), found[0])
    return folder


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _is_of_a_split(folder: Path) -> bool:
    return folder.name.lower() in CALLED["train"]


def _is_apart(folder: Path) -> bool:
    """Whether a folder is one of a split other than training, or of a single domain: no part of pairs to train on."""
    name = folder.name.lower().replace("_", "").replace("-", "")
    splits = [called for names in CALLED.values() for called in names]
    others = [called for split, names in CALLED.items() if split != "train" for called in names]
    return name in {*others, "a", "b", *(f"{split}{domain}" for split in splits for domain in "ab")}


def _check_halves(files: list[Path], folder: Path) -> None:
    """Refuse several folders of pictures that are no halves side by side: two piles under names of their own.

    Raises:
        DataError: the first picture of a folder is not wider than high.
    """
    first = {path.parent: path for path in reversed(files)}
    if len(first) < 2 or folder in first:
        return
    for path in list(first.values())[:MOST_OPENED]:
        with contextlib.suppress(ImageError):  # named when it is read
            width, height = open_image(path, max_pixels=OWN_MAX_PIXELS).size
            if width < WIDE * height:
                raise DataError(f"{path} is {width}×{height} pixels, too narrow for A and B side by side.")


def _found(folder: Path) -> str:
    """What lies in a folder, for a message."""
    names = [f"{path.name}/" for path in _folders(folder)]
    others = sum(path.is_file() for path in folder.iterdir())
    names += [f"{others} other files"] if others else []
    return f"Found in {folder}: {', '.join(names[:12]) or 'nothing'}{' …' if len(names) > 12 else ''}."


def _two_folders(a: Path, b: Path) -> Sources:
    files = image_files(a), image_files(b)
    stems_a, stems_b = (
        {unicodedata.normalize("NFC", str(path.relative_to(root).with_suffix(""))): path for path in domain}
        for root, domain in zip((a, b), files, strict=True)
    )
    common = [stem for stem in stems_a if stem in stems_b]
    # By the number of files, so that 1.png beside 1.jpg, of which only one can have the partner, makes no pairs.
    most = max(map(len, files))
    paired = len(common) >= min(most, FEWEST) and most - len(common) <= max(1, (1 - MOSTLY) * most)
    if paired:
        for stem in sorted(stems_a.keys() ^ stems_b.keys()):
            log.warning("left out: %s has no partner of the same name.", (stems_a | stems_b)[stem])
        files = [stems_a[stem] for stem in common], [stems_b[stem] for stem in common]
    in_a, in_b = ([Source(ImageFile(path)) for path in domain] for domain in files)
    return Sources(in_a, in_b, paired)
