"""Handwritten digits, as the data sets are published: MNIST, USPS and, for whoever has it, SVHN."""

import dataclasses
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from i2i_models.errors import DataError
from i2i_models.networks.digits import CLASSES, framed
from i2i_models.networks.digits import SIDE as SIDE

Name = Literal["mnist", "usps", "svhn"]
HELD_OUT = 5
"""Where only MNIST's 10,000 test digits are there, every fifth of them is held out."""


@dataclasses.dataclass(frozen=True)
class Labelled:
    """Digits and what they are."""

    images: Tensor
    """`(N, 1, SIDE, SIDE)` in [-1, 1]; a white digit on black."""
    labels: Tensor
    """int64 `(N,)`, 0 … 9."""

    def __len__(self) -> int:
        return len(self.labels)


@dataclasses.dataclass(frozen=True)
class Digits:
    """A data set's digits to train on and those held out."""

    train: Labelled
    test: Labelled


def read_digits(folder: Path, name: Name) -> Digits:
    """Read a data set.

    MNIST: `train-images-idx3-ubyte.gz`, `train-labels-idx1-ubyte.gz` and the same with `t10k`; of `t10k` alone every
    fifth is held out. USPS: `usps.h5`. SVHN: `train_32x32.mat` and `test_32x32.mat`.

    Raises:
        DataError: files are missing, damaged or hold something of another shape.
    """
    try:
        parts = list(READERS[name](folder))
    except FileNotFoundError as error:
        raise DataError(
            f"{error.filename or error} is not there: --data names the folder with {FILES[name]}."
        ) from None
    except (OSError, EOFError, KeyError, ValueError) as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{name} in {folder} cannot be read ({error}): put {FILES[name]} there anew.") from None
    return Digits(*(_labelled(name, *part) for part in parts))


def _mnist(folder: Path) -> Iterator[tuple[Any, Any]]:
    tested = _idx(folder / "t10k-images-idx3-ubyte.gz", folder / "mnist-t10k-images-idx3-ubyte.gz") / 255
    labels = _idx(folder / "t10k-labels-idx1-ubyte.gz", folder / "mnist-t10k-labels-idx1-ubyte.gz")
    if (folder / "train-images-idx3-ubyte.gz").is_file():
        yield _idx(folder / "train-images-idx3-ubyte.gz") / 255, _idx(folder / "train-labels-idx1-ubyte.gz")
        yield tested, labels
        return
    held_out = np.arange(len(labels)) % HELD_OUT == HELD_OUT - 1
    if len(tested) != len(labels):
        raise DataError(f"MNIST in {folder} has {len(tested)} digits, but {len(labels)} labels.")
    yield tested[~held_out], labels[~held_out]
    yield tested[held_out], labels[held_out]


def _idx(*paths: Path) -> np.ndarray:
    """The first of these IDX files that is there: uint8, of the shape that its header tells."""
    path = next((path for path in paths if path.is_file()), paths[-1])
    with gzip.open(path) as file:
        data = file.read()
    if data[:3] != b"\0\0\x08":
        raise DataError(f"{path} is no IDX file of bytes, as MNIST is published in.")
    shape = [int.from_bytes(data[4 + 4 * i : 8 + 4 * i], "big") for i in range(data[3])]
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(shape)).reshape(shape)


def _usps(folder: Path) -> Iterator[tuple[Any, Any]]:
    import h5py

    path = folder / "usps.h5"
    if not path.is_file():
        raise FileNotFoundError(path)
    with h5py.File(path) as file:
        for split in ("train", "test"):
            pixels = file[split]["data"][:]
            yield pixels.reshape(len(pixels), 16, 16), file[split]["target"][:]


def _svhn(folder: Path) -> Iterator[tuple[Any, Any]]:
    from scipy.io import loadmat

    for split in ("train", "test"):
        file = loadmat(folder / f"{split}_32x32.mat", appendmat=False)
        # (32, 32, 3, N), digit 0 as 10; brightness of the three colours as in ITU-R BT.601
        yield np.einsum("hwcn,c->nhw", file["X"] / 255, [0.299, 0.587, 0.114]), file["y"].ravel() % CLASSES


READERS: dict[Name, Callable[[Path], Iterator[tuple[Any, Any]]]] = {"mnist": _mnist, "usps": _usps, "svhn": _svhn}
FILES: dict[Name, str] = {
    "mnist": "t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz",
    "usps": "usps.h5",
    "svhn": "train_32x32.mat and test_32x32.mat",
}
SIDES: dict[Name, int] = {"mnist": 28, "usps": 16, "svhn": 32}


def _labelled(name: Name, pixels: np.ndarray, labels: np.ndarray) -> Labelled:
    """Digits in [0, 1] `(N, H, W)`, of SIDE pixels; those on black are framed alike."""
    side = SIDES[name]
    if pixels.shape[1:] != (side, side) or labels.shape != pixels.shape[:1]:
        raise DataError(
            f"{name} has digits of {side}×{side} pixels and a label for each, "
            f"not {pixels.shape} pixels and {labels.shape} labels."
        )
    if not (labels.min() >= 0 and labels.max() < CLASSES and pixels.min() >= 0 and pixels.max() <= 1):
        raise DataError(f"{name} has labels in 0 … 9 and pixels from black to white, but these have others.")
    x = torch.from_numpy(np.ascontiguousarray(pixels, np.float32))[:, None]
    if name != "svhn":
        x = framed(x)
    return Labelled(x * 2 - 1, torch.from_numpy(labels.astype(np.int64)))
