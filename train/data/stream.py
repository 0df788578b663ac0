"""The order in which a training sees its samples."""

from collections.abc import Callable, Iterator

import numpy as np
from torch.utils.data import Sampler

from .dataset import SampleKey, TranslationDataset


class Stream(Sampler[list[SampleKey]]):
    """The batches of a run from step `start` to before step `stop`: each process has its part of every batch."""

    def __init__(
        self,
        data: TranslationDataset,
        batch_size: int,
        size_at: Callable[[int], int],
        start: int,
        stop: int,
        rank: int = 0,
        ranks: int = 1,
        seen: int | None = None,
    ) -> None:
        """
        Args:
            batch_size: samples in a step, over all processes.
            size_at: the image size of a step.
            rank: which of the `ranks` processes this is.
            seen: samples before step `start`; None if all steps had this batch size.
        """
        self.data, self.batch_size, self.size_at = data, batch_size, size_at
        self.start, self.stop, self.rank, self.ranks = start, stop, rank, ranks
        self.seen = start * batch_size if seen is None else seen

    def __len__(self) -> int:
        return self.stop - self.start

    def __iter__(self) -> Iterator[list[SampleKey]]:
        order_a = _Order(len(self.data.a), (self.data.seed, 0))
        order_b = order_a if self.data.paired else _Order(len(self.data.b), (self.data.seed, 1))
        part = self.batch_size // self.ranks
        for step in range(self.start, self.stop):
            first = self.seen + (step - self.start) * self.batch_size + self.rank * part
            yield [SampleKey(n, order_a[n], order_b[n], self.size_at(step)) for n in range(first, first + part)]


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
