"""The images of one domain, in memory."""

import numpy as np
import torch
from torch import Tensor

from i2i_models.errors import ImageError

from .augmentation import resize
from .sources import Reader, Source

MIN_SIDE = 16
"""Images with a shorter side are refused: there is nothing to learn from them."""


class Images:
    """A list of images, read once, squared to the largest size needed and kept as bytes up to a limit."""

    def __init__(self, sources: list[Source], side: int, nearest: bool, budget: int, reader: Reader) -> None:
        """
        Args:
            side: of the square images, in pixels.
            nearest: whether colours are labels, which resizing must not mix.
            budget: bytes that the images may take in memory.
            reader: shared with the other domain, whose images may be the other halves of the same files.
        """
        self.sources, self.side, self.nearest, self.reader = sources, side, nearest, reader
        self.cache: dict[int, np.ndarray] = {}
        self.room = budget // (3 * side * side)

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> np.ndarray:
        """uint8 `(side, side, 3)`.

        Raises:
            ImageError: the image cannot be read or is too small.
        """
        if index not in self.cache:
            pixels = self._square(self.reader.read(self.sources[index]), self.sources[index].name)
            if len(self.cache) >= self.room:
                return pixels
            self.cache[index] = pixels
        return self.cache[index]

    def _square(self, pixels: np.ndarray, name: str) -> np.ndarray:
        """The middle of an image, which keeps its proportions, at the size that is needed."""
        height, width = pixels.shape[:2]
        side = min(height, width)
        if side < MIN_SIDE:
            raise ImageError(f"{name} is {width}×{height} pixels; at least {MIN_SIDE} a side are needed.")
        top, left = (height - side) // 2, (width - side) // 2
        square = pixels[top : top + side, left : left + side]
        return np.ascontiguousarray(resize(square, self.side, self.nearest))

    def keep(self, indices: list[int]) -> None:
        """Forget all other images."""
        self.cache = {new: self.cache[old] for new, old in enumerate(indices) if old in self.cache}
        self.sources = [self.sources[i] for i in indices]

    def stack(self) -> Tensor:
        """All images: uint8 `(N, 3, side, side)`."""
        return torch.stack([channels_first(self[i]) for i in range(len(self))])


def channels_first(pixels: np.ndarray) -> Tensor:
    """A copy of pixels `(H, W, 3)` as a tensor `(3, H, W)`."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)
