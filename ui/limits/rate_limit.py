"""How many requests a name may make: token buckets."""

import time
from collections import OrderedDict
from collections.abc import Hashable


class RateLimit:
    """Token buckets, one for each name: `burst` requests at once, `rate` a second in the long run."""

    def __init__(self, rate: float, burst: float, most: int = 10_000) -> None:
        """Of more than `most` names the longest quiet ones are forgotten: their buckets are full again anyway."""
        self.rate, self.burst, self.most = rate, burst, most
        self._left: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()

    def __contains__(self, name: Hashable) -> bool:
        """Whether somebody of that name asked lately."""
        return name in self._left

    def take(self, name: Hashable, now: float | None = None) -> float:
        """Take a token: 0 if there was one, else the seconds until there is."""
        now = time.monotonic() if now is None else now
        left, then = self._left.pop(name, (self.burst, now))
        left = min(self.burst, left + (now - then) * self.rate)
        missing = max(0.0, 1 - left)
        self._left[name] = (left if missing else left - 1, now)
        if len(self._left) > self.most:
            self._left.popitem(last=False)
        return missing / self.rate
