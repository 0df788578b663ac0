"""The images of one domain, in memory."""

import numpy as np
import torch
from torch import Tensor

from i2i_models.errors import ImageError

from .augmentation import resize
from .sources import Reader, Source

MIN_SIDE = 16
"""Images with a shorter side are refused: there is nothing to learn from them."""
LONGEST = 64
"""How many times as long as wide an image may be; of longer ones the middle is taken."""


class Images:
    """A list of images, read once, made as small as is needed and kept as bytes up to a limit."""

    def __init__(
        self, sources: list[Source], side: int, nearest: bool, budget: int, reader: Reader, whole: bool
    ) -> None:
        """
        Args:
            side: of the square images, in pixels.
            nearest: whether colours are labels, which resizing must not mix.
            budget: bytes that the images may take in memory.
            reader: shared with the other domain, whose images may be the other halves of the same files.
            whole: keep what lies beside the middle square, too.
        """
        self.sources, self.side, self.nearest, self.reader = sources, side, nearest, reader
        self.cache: dict[int, np.ndarray] = {}
        self.whole, self.room = whole, budget
        self.elongated = 0
        """How many images that were read are longer than wide or wider than long by a tenth."""

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> np.ndarray:
        """The middle square: uint8 `(side, side, 3)`. Raises as `strip`."""
        pixels = self.strip(index)
        height, width = pixels.shape[:2]
        top, left = (height - self.side) // 2, (width - self.side) // 2
        return pixels[top : top + self.side, left : left + self.side]

    def strip(self, index: int) -> np.ndarray:
        """The image, whose shorter side is `side`: uint8 `(H, W, 3)`. Only the middle square, unless `whole`.

        Raises:
            ImageError: the image cannot be read or is too small.
        """
        if index not in self.cache:
            pixels = self._strip(self.reader.read(self.sources[index]), self.sources[index].name)
            if pixels.nbytes > self.room:
                return pixels
            self.room -= pixels.nbytes
            self.cache[index] = pixels
        return self.cache[index]

    def _strip(self, pixels: np.ndarray, name: str) -> np.ndarray:
        """An image, which keeps its proportions, at the size that is needed."""
        height, width = pixels.shape[:2]
        side = min(height, width)
        if side < MIN_SIDE:
            raise ImageError(f"{name} is {width}×{height} pixels; at least {MIN_SIDE} a side are needed.")
        self.elongated += max(height, width) > 1.1 * side
        if not self.whole or max(height, width) > LONGEST * side:
            keep = side if not self.whole else LONGEST * side
            top, left = max(0, (height - keep) // 2), max(0, (width - keep) // 2)
            pixels = pixels[top : top + keep, left : left + keep]
        return np.ascontiguousarray(resize(pixels, self.side, self.nearest))

    def keep(self, indices: list[int]) -> None:
        """Forget all other images."""
        self.room += sum(pixels.nbytes for pixels in self.cache.values())
        self.cache = {new: self.cache[old] for new, old in enumerate(indices) if old in self.cache}
        self.room -= sum(pixels.nbytes for pixels in self.cache.values())
        self.sources = [self.sources[i] for i in indices]

    def stack(self) -> Tensor:
        """All images: uint8 `(N, 3, side, side)`."""
        return torch.stack([channels_first(self[i]) for i in range(len(self))])


def channels_first(pixels: np.ndarray) -> Tensor:
    """A copy of pixels `(H, W, 3)` as a tensor `(3, H, W)`."""
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)
