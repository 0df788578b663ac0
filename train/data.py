"""Training images: find them, read them once, keep them as bytes, serve them augmented.

Every sample is a function of (seed, its number in the stream), so a resumed run and a run on
several processes see the very same images.
"""

import dataclasses
import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler
from tqdm import tqdm

from i2i_models.errors import DataError, ImageError
from i2i_models.images.reading import open_image

from . import augment
from .files import image_files
from .options import Augment

log = logging.getLogger(__name__)

MIN_SIDE = 16
"""Images with a shorter side are skipped: there is nothing to learn from them."""

Read = Callable[[], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Source:
    """One image that can be read: its name for messages, and how."""

    name: str
    read: Read


@dataclasses.dataclass(frozen=True)
class Sources:
    """What a data set offers: true pairs (equal lengths, same order) or two unpaired lists."""

    a: list[Source]
    b: list[Source]
    paired: bool


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
            from .hub_data import find_on_hub

            return find_on_hub(data, split)
        raise DataError(f"{data} does not exist: give a folder of images or a Hub data set as owner/name.")
    a, b = folder / f"{split}A", folder / f"{split}B"
    if a.is_dir() and b.is_dir():
        return _two_folders(a, b)
    inner = folder / split
    if split == "train" and not inner.is_dir():
        inner = folder
    return _side_by_side(image_files(inner))


def _two_folders(a: Path, b: Path) -> Sources:
    files_a, files_b = image_files(a), image_files(b)
    by_stem = {path.stem: path for path in files_b}
    paired = {path.stem for path in files_a} == set(by_stem)
    if paired:
        files_b = [by_stem[path.stem] for path in files_a]
    return Sources([_whole(p) for p in files_a], [_whole(p) for p in files_b], paired)


def _side_by_side(files: list[Path]) -> Sources:
    return Sources([_half(path, 0) for path in files], [_half(path, 1) for path in files], paired=True)


def _whole(path: Path) -> Source:
    return Source(str(path), lambda: np.asarray(open_image(path)))


def _half(path: Path, which: int) -> Source:
    def read() -> np.ndarray:
        both = np.asarray(open_image(path))
        middle = both.shape[1] // 2
        return both[:, :middle] if which == 0 else both[:, middle : 2 * middle]

    return Source(str(path), read)


class Images:
    """A list of images, decoded once, squared to the largest size needed and kept as bytes up to a limit."""

    def __init__(self, sources: list[Source], side: int, nearest: bool, budget: int) -> None:
        self.sources, self.side, self.nearest = sources, side, nearest
        self.cache: dict[int, np.ndarray] = {}
        self.room = budget // (3 * side * side)

    def __len__(self) -> int:
        return len(self.sources)

    def __getitem__(self, index: int) -> np.ndarray:
        if index in self.cache:
            return self.cache[index]
        pixels = self.sources[index].read()
        if min(pixels.shape[:2]) < MIN_SIDE:
            height, width = pixels.shape[:2]
            raise ImageError(
                f"{self.sources[index].name} is {width}×{height} pixels; at least {MIN_SIDE} a side are needed."
            )
        # Training images are squares: a middle crop keeps proportions where they are none.
        cut = min(pixels.shape[:2])
        top, left = (pixels.shape[0] - cut) // 2, (pixels.shape[1] - cut) // 2
        pixels = np.ascontiguousarray(
            augment.resize(pixels[top : top + cut, left : left + cut], self.side, self.nearest)
        )
        if len(self.cache) < self.room:
            self.cache[index] = pixels
        return pixels

    def keep(self, indices: list[int]) -> None:
        """Forget all other images."""
        self.cache = {new: self.cache[old] for new, old in enumerate(indices) if old in self.cache}
        self.sources = [self.sources[i] for i in indices]


@dataclasses.dataclass(frozen=True)
class Key:
    """A sample to make: its number in the stream, the images it is made of, its size."""

    number: int
    a: int
    b: int
    size: int


class Translations(Dataset[tuple[Tensor, Tensor]]):
    """Samples (a, b): uint8 `(3, size, size)` each, a true pair if the data are paired."""

    def __init__(
        self,
        sources: Sources,
        size: int,
        seed: int = 0,
        varied: Augment | None = None,
        nearest: tuple[bool, bool] = (False, False),
        cache_gb: float = 2.0,
        minimum: int = 2,
        cropped: bool = False,
    ) -> None:
        """Read every image once; name and skip those that cannot be read.

        Args:
            size: side in pixels that a whole image has.
            varied: how to augment; None only resizes.
            nearest: for A and B whether colours are labels.
            cache_gb: how much memory decoded images may take.
            cropped: samples asked for smaller than `size` are crops, not whole images made smaller, if varied at all.

        Raises:
            DataError: fewer than `minimum` images remain.
        """
        self.varied, self.nearest, self.seed, self.paired = varied, nearest, seed, sources.paired
        self.whole = size if cropped else None
        side = round(size * varied.enlarge) if varied else size
        budget = int(cache_gb * 1e9) // 2
        self.a = Images(sources.a, side, nearest[0], budget)
        self.b = Images(sources.b, side, nearest[1], budget)
        self.skipped = self._read_all()
        if min(len(self.a), len(self.b)) < minimum:
            raise DataError(
                f"Only {len(self.a)} images of A and {len(self.b)} of B can be used; "
                f"at least {minimum} of each are needed."
            )

    def _read_all(self) -> int:
        if self.paired:
            good = [i for i in tqdm(range(len(self.a)), "reading", leave=False) if self._readable(self.a, i, self.b)]
            skipped = len(self.a) - len(good)
            self.a.keep(good)
            self.b.keep(good)
        else:
            skipped = 0
            for images in (self.a, self.b):
                good = [i for i in tqdm(range(len(images)), "reading", leave=False) if self._readable(images, i)]
                skipped += len(images) - len(good)
                images.keep(good)
        if skipped:
            log.warning("%d images skipped.", skipped)
        return skipped

    @staticmethod
    def _readable(images: Images, index: int, partner: Images | None = None) -> bool:
        try:
            images[index]
            if partner is not None:
                partner[index]
        except ImageError as error:
            log.warning("skipped: %s", error)
            return False
        return True

    def __len__(self) -> int:
        return max(len(self.a), len(self.b))

    def __getitem__(self, key: Key) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng((self.seed, key.number))
        images = [self.a[key.a], self.b[key.b]]
        if self.varied is None:
            images = [augment.resize(image, key.size, n) for image, n in zip(images, self.nearest, strict=True)]
        elif self.paired:
            images = self._vary(images, key.size, rng, list(self.nearest))
        else:
            images = [self._vary([im], key.size, rng, [n])[0] for im, n in zip(images, self.nearest, strict=True)]
        if self.varied and self.varied.vary_hue:
            images[1] = augment.vary_hue(images[1], rng)
        if self.varied and self.varied.hand_drawn:
            images[0] = augment.hand_drawn(images[0], rng)
        a, b = (torch.from_numpy(np.array(image)).permute(2, 0, 1) for image in images)
        return a, b

    def _vary(
        self, images: list[np.ndarray], size: int, rng: np.random.Generator, nearest: list[bool]
    ) -> list[np.ndarray]:
        assert self.varied is not None
        enlarge = self.varied.enlarge * (self.whole or size) / size
        images = augment.jitter(images, size, enlarge, self.varied.mirror, rng, nearest)
        return augment.affine(images, self.varied.affine, rng, nearest) if self.varied.affine else images

    def fixed(self, count: int, size: int) -> tuple[Tensor, Tensor]:
        """`count` samples spread evenly over the data, uint8 `(count, 3, size, size)` each."""
        spread = np.linspace(0, min(len(self.a), len(self.b)) - 1, count).round().astype(int)
        samples = [self[Key(i, int(i), int(i), size)] for i in spread]
        return torch.stack([a for a, _ in samples]), torch.stack([b for _, b in samples])


class Stream(Sampler[list[Key]]):
    """The batches of a run from `start` on: each process its part of every global batch."""

    def __init__(
        self,
        data: Translations,
        batch_size: int,
        sizes: Callable[[int], int],
        start: int,
        stop: int,
        rank: int,
        ranks: int,
    ) -> None:
        self.data, self.batch_size, self.sizes = data, batch_size, sizes
        self.start, self.stop, self.rank, self.ranks = start, stop, rank, ranks

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[list[Key]]:
        order_a = _Order(len(self.data.a), (self.data.seed, 0))
        order_b = order_a if self.data.paired else _Order(len(self.data.b), (self.data.seed, 1))
        part = self.batch_size // self.ranks
        for step in range(self.start, self.stop):
            first = step * self.batch_size + self.rank * part
            yield [Key(n, order_a[n], order_b[n], self.sizes(step)) for n in range(first, first + part)]


class _Order:
    """An endless shuffled sequence of indices: a fresh permutation each epoch, the epoch read off the position."""

    def __init__(self, length: int, seed: tuple[int, int]) -> None:
        self.length, self.seed, self.epoch = length, seed, -1

    def __getitem__(self, position: int) -> int:
        epoch, place = divmod(position, self.length)
        if epoch != self.epoch:
            self.epoch = epoch
            self.permutation = np.random.default_rng((*self.seed, epoch)).permutation(self.length)
        return int(self.permutation[place])
