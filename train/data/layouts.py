"""The layouts of data sets that training knows: folders of files, and data sets of the Hugging Face Hub."""

from pathlib import Path

from i2i_models.errors import DataError

from .files import image_files
from .hub import find_on_hub
from .sources import ImageFile, Source, Sources


def find(data: str, split: str = "train") -> Sources:
    """Find the images of a split in one of the known layouts.

    Args:
        data: a folder with A|B images side by side (in it, or in its `split/`), or with `splitA/` and
            `splitB/` (equal names make pairs), or the name `owner/name` of a Hub data set.

    Raises:
        DataError: none of these is there.
    """
    folder = Path(data)
    if not folder.exists():
        if data.count("/") == 1 and not data.startswith((".", "/", "~")):
            return find_on_hub(data, split)
        raise DataError(f"{data} does not exist: give a folder of images or a Hub data set as owner/name.")
    a, b = folder / f"{split}A", folder / f"{split}B"
    if a.is_dir() and b.is_dir():
        return _two_folders(a, b)
    inner = folder / split
    if split == "train" and not inner.is_dir():
        inner = folder
    return Sources.side_by_side([ImageFile(path) for path in image_files(inner)])


def _two_folders(a: Path, b: Path) -> Sources:
    files_a, files_b = image_files(a), image_files(b)
    by_stem = {path.stem: path for path in files_b}
    paired = {path.stem for path in files_a} == set(by_stem)
    if paired:
        files_b = [by_stem[path.stem] for path in files_a]
    return Sources([Source(ImageFile(p)) for p in files_a], [Source(ImageFile(p)) for p in files_b], paired)
