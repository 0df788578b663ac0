"""A cache of values that were made lately, within bounds of bytes and number."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

V = TypeVar("V")


class Cache(Generic[V]):
    """The most recently used values, each under a key. Any number of threads may use it at once."""

    def __init__(self, max_bytes: int, max_count: int, size_of: Callable[[V], int]) -> None:
        self.max_bytes, self.max_count, self.size_of = max_bytes, max_count, size_of
        self.bytes = 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._making: dict[Hashable, Future[V]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable) -> V | None:
        """The value of a key, which now counts as just used; None if it was dropped or never there."""
        with self._lock:
            value = self._values.get(key)
            if value is not None:
                self._values.move_to_end(key)
            return value

    def keep(self, key: Hashable, value: V) -> None:
        """Keep a value, and drop the least recently used ones until the bounds hold; too large ones are not kept."""
        size = self.size_of(value)
        if size > self.max_bytes:
            return
        with self._lock:
            if key in self._values:
                self.bytes -= self.size_of(self._values.pop(key))
            self._values[key] = value
            self.bytes += size
            while self.bytes > self.max_bytes or len(self._values) > self.max_count:
                _, dropped = self._values.popitem(last=False)
                self.bytes -= self.size_of(dropped)

    def clear(self) -> None:
        """Drop every value."""
        with self._lock:
            self._values.clear()
            self.bytes = 0

    def get_or_make(self, key: Hashable, make: Callable[[], V]) -> V:
        """The value of a key; if there is none, `make()`, which is then kept.

        A thread that asks for the key meanwhile waits for the same value, and gets the same error if making it fails.
        """
        kept = self.get(key)
        if kept is not None:
            return kept
        with self._lock:
            made = self._making.get(key)
            if made is None:
                own = self._making[key] = Future[V]()
        if made is not None:
            return made.result()
        try:
            value = make()
            self.keep(key, value)
            own.set_result(value)
            return value
        except BaseException as error:
            own.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[key]
