"""How many requests a name may make: counted by the `limits` library, in memory or in a Redis that replicas share."""

import logging
import math
import os
import time
from collections import OrderedDict
from collections.abc import Hashable

from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.storage import storage_from_string

log = logging.getLogger(__name__)


class Counts:
    """Where requests are counted."""

    def __init__(self, address: str = "") -> None:
        """
        Args:
            address: of a store, as `redis://localhost:6379`, for replicas that count together; else this process's
                memory. While the store does not answer, the memory is used.
        """
        self.here, self._clock = _in_memory(), _clock()
        self.shared: SlidingWindowCounterRateLimiter | None = None
        self._quiet_until = 0.0
        if address:
            options = {"implementation": "redispy"} if address.startswith("redis") else {}
            storage = storage_from_string(f"async+{address}", **options)
            assert isinstance(storage, Storage)
            self.shared = SlidingWindowCounterRateLimiter(storage)

    @classmethod
    def from_environment(cls) -> "Counts":
        """As I2I_COUNTS names it."""
        return cls(os.environ.get("I2I_COUNTS", ""))

    async def take(self, item: RateLimitItemPerSecond, *names: str) -> float:
        """Count a request: 0 if it may be answered, else the seconds until one may."""
        if self.shared is not None and time.monotonic() >= self._quiet_until:
            try:
                return await _take(self.shared, item, *names)
            except Exception as error:
                log.warning("requests are counted here, since the common store does not answer: %r", error)
                self._quiet_until = time.monotonic() + 10
        if abs(_clock() - self._clock) > 1:
            # The library counts by the wall clock: set back by a day, it would refuse everybody for a day.
            self.here, self._clock = _in_memory(), _clock()
        return await _take(self.here, item, *names)


def _in_memory() -> SlidingWindowCounterRateLimiter:
    return SlidingWindowCounterRateLimiter(MemoryStorage())


def _clock() -> float:
    """What stays the same for as long as nobody sets the wall clock."""
    return time.time() - time.monotonic()


async def _take(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItemPerSecond, *names: str) -> float:
    if await limiter.hit(item, *names):
        return 0.0
    return max(0.1, (await limiter.get_window_stats(item, *names)).reset_time - time.time())


class RateLimit:
    """`burst` requests at once of each name, `rate` a second in the long run."""

    def __init__(self, counts: Counts, what: str, rate: float, burst: int) -> None:
        """
        Args:
            what: is counted; limits of different kinds do not mix.
        """
        self.counts = counts
        self.item = RateLimitItemPerSecond(burst, math.ceil(burst / rate), namespace=f"i2i-{what}")

    async def take(self, *names: str) -> float:
        """Count a request of somebody: 0 if it may be answered, else the seconds until one may."""
        return await self.counts.take(self.item, *names)


class Lately:
    """Who was here lately: the last `most` names."""

    def __init__(self, most: int = 10_000) -> None:
        self.most = most
        self._names: OrderedDict[Hashable, None] = OrderedDict()

    def __contains__(self, name: Hashable) -> bool:
        return name in self._names

    def add(self, name: Hashable) -> None:
        """Remember somebody."""
        self._names[name] = None
        self._names.move_to_end(name)
        if len(self._names) > self.most:
            self._names.popitem(last=False)
