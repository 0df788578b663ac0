"""The samples of a training. Each is a function of (seed, its number in the stream) alone.

So a resumed training and one on several processes see the very same images.
"""

import dataclasses
import logging
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from i2i_models.directions import DomainKey
from i2i_models.errors import DataError, ImageError

from . import augmentation, colours
from .augmentation import Augmentation
from .images import Images, channels_first
from .sources import Reader, Sources, spread

log = logging.getLogger(__name__)


class Batch(NamedTuple):
    """Images of both domains, uint8 `(N, 3, H, W)` each: true pairs if the data are paired. One sample has no N."""

    a: Tensor
    b: Tensor


@dataclasses.dataclass(frozen=True)
class SampleKey:
    """A sample to make: its number in the stream, the images it is made of, its size."""

    number: int
    a: int
    b: int
    size: int


class TranslationDataset(Dataset[Batch]):
    """Samples (a, b): uint8 `(3, size, size)` each, a true pair if the data are paired."""

    def __init__(
        self,
        sources: Sources,
        size: int,
        seed: int = 0,
        augment: Augmentation | None = None,
        nearest: tuple[bool, bool] = (False, False),
        cache_gb: float = 2.0,
        minimum: int = 2,
        cropped: bool = False,
    ) -> None:
        """Read every image once; name and skip those that cannot be read.

        Args:
            size: side in pixels that a whole image has.
            augment: how to vary the images; None only resizes.
            nearest: for A and B whether colours are labels.
            cache_gb: how much memory decoded images may take.
            minimum: of each domain, so many images must be left.
            cropped: augmented samples smaller than `size` are crops, not whole images made smaller.

        Raises:
            DataError: fewer than `minimum` images remain.
        """
        self.augment, self.nearest, self.seed, self.paired = augment, nearest, seed, sources.paired
        self.size, self.cropped = size, cropped
        side = round(size * augment.enlarge) if augment else size
        budget = int(cache_gb * 1e9) // 2
        reader = Reader()
        self.a = Images(sources.a, side, nearest[0], budget, reader, augment is not None)
        self.b = Images(sources.b, side, nearest[1], budget, reader, augment is not None)
        self.skipped = self._read_all()
        if min(len(self.a), len(self.b)) < minimum:
            raise DataError(
                f"Only {len(self.a)} images of A and {len(self.b)} of B can be used; "
                f"at least {minimum} of each are needed."
            )

    def _read_all(self) -> int:
        """Read every image and forget those that cannot be read, a pair as a whole; return how many these are.

        A and B take turns: where they are the halves of one file, it is opened once.
        """
        groups = [(self.a, self.b)] if self.paired else [(self.a,), (self.b,)]
        readable: list[list[int]] = [[] for _ in groups]
        for i in tqdm(range(len(self)), "reading", leave=False):
            for group, indices in zip(groups, readable, strict=True):
                if i < len(group[0]) and all(_can_be_read(images, i) for images in group):
                    indices.append(i)
        skipped = 0
        for group, indices in zip(groups, readable, strict=True):
            skipped += len(group[0]) - len(indices)
            for images in group:
                images.keep(indices)
        elongated = sum(group[0].elongated for group in groups)
        if elongated:
            taken = "a random square along their length" if self.augment else "their middle square"
            log.warning(
                "%d of %d images are not square: taken is %s.", elongated, sum(len(g[0]) for g in groups), taken
            )
        if self.a.reader.inverted:
            log.warning("%d drawings are light on dark: they are inverted.", self.a.reader.inverted)
        if skipped:
            log.warning("%d images skipped.", skipped)
        return skipped

    @property
    def domains(self) -> dict[DomainKey, Images]:
        """The images of each domain."""
        return {"A": self.a, "B": self.b}

    def __len__(self) -> int:
        return max(len(self.a), len(self.b))

    def __getitem__(self, key: SampleKey) -> Batch:
        if self.augment is None:
            images = self._resized([self.a[key.a], self.b[key.b]], key.size)
        else:
            images = [self.a.strip(key.a), self.b.strip(key.b)]
            images = self._augmented(images, key.size, self.augment, np.random.default_rng((self.seed, key.number)))
        return Batch(*map(channels_first, images))

    def _resized(self, images: list[np.ndarray], size: int) -> list[np.ndarray]:
        return [augmentation.resize(image, size, n) for image, n in zip(images, self.nearest, strict=True)]

    def _augmented(
        self, images: list[np.ndarray], size: int, augment: Augmentation, rng: np.random.Generator
    ) -> list[np.ndarray]:
        """Place and colour A and B alike if they are a pair, separately if not; then vary each domain's own traits."""
        enlarge = augment.enlarge * (self.size if self.cropped else size) / size
        placed: list[np.ndarray] = []
        for group in [[0, 1]] if self.paired else [[0], [1]]:
            part, nearest = [images[i] for i in group], [self.nearest[i] for i in group]
            part = augmentation.jitter(augmentation.square(part, rng), size, enlarge, augment.mirror, rng, nearest)
            if augment.affine:
                part = augmentation.affine(part, augment.affine, rng, nearest)
            if augment.vary_colours:
                part = colours.vary_colours(part, rng)
            if augment.warp:
                part = colours.warp(part, augment.warp * size / 128, rng)
            placed += part
        a, b = placed
        if augment.vary_hue:
            b = augmentation.vary_hue(b, rng)
        if augment.simplify:
            a = colours.simplify_flat(a, rng)
        if augment.hand_drawn:
            a = augmentation.hand_drawn(a, rng)
        return [a, b]

    def samples(self, count: int, size: int) -> Batch:
        """At most `count` different samples spread evenly over the data, not augmented: uint8 `(N, 3, size, size)`."""
        indices = spread(min(len(self.a), len(self.b)), count)
        rows = [[channels_first(image) for image in self._resized([self.a[i], self.b[i]], size)] for i in indices]
        return Batch(*(torch.stack(images) for images in zip(*rows, strict=True)))


def _can_be_read(images: Images, index: int) -> bool:
    try:
        images[index]
    except ImageError as error:
        log.warning("skipped: %s", error)
        return False
    return True
