"""How many networks run at the same time, and how long they took."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """The milliseconds that networks took for one answer; waiting for a slot does not count."""

    ms = 0.0

    @property
    def shown(self) -> float:
        """Rounded for people."""
        return round(self.ms, 1) if self.ms < 10 else round(self.ms)


class Pool:
    """Slots in which networks run. Every use of a network for visitors happens inside one."""

    def __init__(self, slots: int) -> None:
        self._free = threading.BoundedSemaphore(slots)

    @contextmanager
    def slot(self, watch: Stopwatch | None = None) -> Iterator[None]:
        """Wait for a free slot and hold it.

        Args:
            watch: adds up the time for which slots were held.
        """
        with self._free:
            start = time.perf_counter()
            try:
                yield
            finally:
                if watch is not None:
                    watch.ms += (time.perf_counter() - start) * 1000
