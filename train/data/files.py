"""Finding image files."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

from i2i_models.errors import DataError
from i2i_models.images.reading import SUFFIXES, is_litter

log = logging.getLogger(__name__)
_named: set[Path] = set()
"""Empty files that were named already: a training looks for its images more than once."""


def image_files(folder: Path) -> list[Path]:
    """The image files in a folder, sorted by name; where it has none, those in its folders.

    What systems leave in folders is no image; empty files are named and left out. Links are followed.

    Raises:
        DataError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: check the path.")
    files = _images(folder, folder.iterdir) or _images(folder, lambda: folder.rglob("*"))
    if not files:
        raise DataError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}).")
    return files


def _images(folder: Path, walk: Callable[[], Iterable[Path]]) -> list[Path]:
    found = []
    for path in sorted(walk()):
        if path.suffix.lower() not in SUFFIXES or is_litter(path.relative_to(folder)) or not path.is_file():
            continue
        if path.stat().st_size:
            found.append(path)
        elif path not in _named:
            _named.add(path)
            log.warning("left out: %s is empty: copy it again.", path)
    return found
