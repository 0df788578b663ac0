"""Finding image files."""

from pathlib import Path

from i2i_models.errors import DataError
from i2i_models.images.reading import SUFFIXES


def image_files(folder: Path) -> list[Path]:
    """The image files directly in a folder, sorted by name.

    Raises:
        DataError: there is no such folder, or no image in it.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder: check the path.")
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES and path.is_file())
    if not files:
        raise DataError(f"{folder} holds no images ({', '.join(sorted(SUFFIXES))}).")
    return files
