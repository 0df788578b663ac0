"""Data sets of the Hugging Face Hub, through the optional package `datasets`."""

import numpy as np

from i2i_models.errors import DataError, ImageError
from i2i_models.images.reading import to_rgb

from .data import Source, Sources


def find_on_hub(name: str, split: str) -> Sources:
    """The images of a Hub data set: its first two image columns are A and B; one alone holds A|B side by side.

    Raises:
        DataError: `datasets` is not installed, the data set cannot be had or has no such split or columns.
    """
    try:
        import datasets
    except ImportError:
        raise DataError(
            f"{name} looks like a Hub data set; to read it, install the extra: pip install datasets."
        ) from None
    try:
        table = datasets.load_dataset(name, split=split)
    except Exception as error:  # the package raises many kinds; the reason is in their text
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"The split {split} of {name} could not be had from the Hub: {reason}") from None
    columns = [key for key, feature in table.features.items() if isinstance(feature, datasets.Image)]
    if not columns:
        raise DataError(f"{name} has no column of images; it has {', '.join(table.features)}.")

    def source(row: int, column: str, half: int | None) -> Source:
        def read() -> np.ndarray:
            try:
                pixels = np.asarray(to_rgb(table[row][column]))
            except (OSError, ValueError, AttributeError):
                raise ImageError(f"{name} row {row} ({column}) cannot be read as an image.") from None
            middle = pixels.shape[1] // 2
            return pixels if half is None else pixels[:, half * middle : (half + 1) * middle]

        return Source(f"{name} row {row}", read)

    columns = (columns * 2)[:2] if len(columns) == 1 else columns[:2]
    alone = columns[0] == columns[1]
    a, b = (
        [source(row, column, half if alone else None) for row in range(len(table))]
        for half, column in enumerate(columns)
    )
    return Sources(a, b, paired=True)
