"""Data sets of the Hugging Face Hub, through the optional package `datasets`."""

import dataclasses
from typing import Any

import numpy as np

from i2i_models.errors import DataError, ImageError
from i2i_models.images.depth import Range
from i2i_models.images.reading import to_rgb

from .sources import Source, Sources

SPLITS = {"val": ("val", "validation")}
"""The names that a split has on the Hub, where there are several."""


@dataclasses.dataclass(frozen=True)
class TableCell:
    """A stored image that is a cell of a table."""

    data: str
    table: Any = dataclasses.field(compare=False, repr=False)
    """A `datasets.Dataset` of this column alone, so that reading a cell decodes no other image."""
    row: int
    column: str
    value_range: Range | None = None

    @property
    def name(self) -> str:
        """The data set's name and the row."""
        return f"{self.data} row {self.row}"

    def read(self) -> np.ndarray:
        """The RGB pixels: uint8 `(H, W, 3)`.

        Raises:
            ImageError: the cell holds no image, or a damaged one.
        """
        try:
            return np.asarray(to_rgb(self.table[self.row][self.column], self.value_range))
        except (OSError, ValueError, AttributeError):
            raise ImageError(f"{self.name} ({self.column}) cannot be read as an image.") from None

    def in_range(self, value_range: Range) -> "TableCell":
        """The same image in a range of values."""
        return dataclasses.replace(self, value_range=value_range)


def find_on_hub(name: str, split: str) -> Sources:
    """The images of a Hub data set: its first two image columns are A and B; one alone holds A|B side by side.

    Raises:
        DataError: `datasets` is not installed, the data set cannot be had or has no such split or columns.
    """
    try:
        import datasets  # an optional package
    except ImportError:
        raise DataError(
            f"{name} looks like a Hub data set; to read it, install the extra: pip install datasets."
        ) from None
    table = _load(datasets, name, split)
    columns = [key for key, feature in table.features.items() if isinstance(feature, datasets.Image)]
    if not columns:
        raise DataError(f"{name} has no column of images; it has {', '.join(table.features)}.")
    cells = [_cells(name, table, column) for column in columns[:2]]
    if len(cells) == 1:
        return Sources.side_by_side(cells[0])
    a, b = ([Source(cell) for cell in column] for column in cells)
    return Sources(a, b, paired=True)


def _load(datasets: Any, name: str, split: str) -> Any:
    """The table of a split, under the first of its names that the data set has."""
    reasons = []
    for called in SPLITS.get(split, (split,)):
        try:
            return datasets.load_dataset(name, split=called)
        except Exception as error:  # the package raises many kinds; the reason is in their text
            reasons.append(str(error).splitlines()[0] if str(error) else type(error).__name__)
    raise DataError(f"The split {split} of {name} could not be had from the Hub: {reasons[0]}")


def _cells(name: str, table: Any, column: str) -> list[TableCell]:
    alone = table.select_columns([column])
    return [TableCell(name, alone, row, column) for row in range(len(table))]
