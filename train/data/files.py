"""Finding image files."""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path

from i2i_models.errors import DataError
from i2i_models.images.reading import SUFFIXES, is_litter

log = logging.getLogger(__name__)
UNREAD = frozenset({".exr", ".hdr", ".svg", ".psd", ".pdf", ".dcm", ".nii", ".jp2", ".dng", ".cr2", ".nef", ".arw"})
"""Endings of pictures that nothing here reads."""
_named: set[Path] = set()
"""Files that were named already: a training looks for its images more than once."""


def image_files(folder: Path, apart: Collection[Path] = ()) -> list[Path]:
    """The image files in a folder, sorted by name; where it has none, those in its folders.

    What systems leave in folders is no image; empty files, links to nothing and pictures in formats that nothing here
    reads are named and left out. Links are followed.

    Args:
        apart: folders that hold something else.

    Raises:
        DataError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: check the path.")
    files = _images(folder, folder.iterdir) or _images(folder, lambda: _below(folder, apart))
    if not files:
        raise DataError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}).")
    return files


def _below(folder: Path, apart: Collection[Path]) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if not any(parent in apart for parent in path.parents))


def _images(folder: Path, walk: Callable[[], Iterable[Path]]) -> list[Path]:
    found = []
    for path in sorted(walk()):
        suffix = path.suffix.lower()
        if suffix not in SUFFIXES | UNREAD or is_litter(path.relative_to(folder)) or path.is_dir():
            continue
        if suffix in UNREAD:
            _name(path, f"is {suffix}, which is not read here: save it as PNG or TIFF")
        elif not path.is_file():
            _name(path, "is a link to a file that is not there")
        elif not path.stat().st_size:
            _name(path, "is empty: copy it again")
        else:
            found.append(path)
    return found


def _name(path: Path, why: str) -> None:
    if path not in _named:
        _named.add(path)
        log.warning("left out: %s %s.", path, why)
