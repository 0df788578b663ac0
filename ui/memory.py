"""What was found out lately, so that nobody's question is answered twice: codes of images, and whole answers.

Found by what they are of, not by who asked: the key is a hash of the image's own bytes, so nobody
finds an image here who does not have it already.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

import i2i_models as i2i

V = TypeVar("V")


def image_key(url: str) -> str:
    """The key of an image (data URL): 128 bits of its hash, as 32 hexadecimal digits."""
    return hashlib.blake2b(url.encode(), digest_size=16).hexdigest()


class Memory(Generic[V]):
    """The most recently used values, within bounds of bytes and number. Any number of threads may use it at once."""

    def __init__(self, max_bytes: int, max_count: int, size_of: Callable[[V], int]) -> None:
        self.max_bytes, self.max_count, self.size_of = max_bytes, max_count, size_of
        self.bytes = 0
        self._values: OrderedDict[Hashable, V] = OrderedDict()
        self._making: dict[Hashable, Future[V]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, name: Hashable) -> V | None:
        """The value kept under a name, which now counts as just used; None if it was dropped or never there."""
        with self._lock:
            value = self._values.get(name)
            if value is not None:
                self._values.move_to_end(name)
            return value

    def keep(self, name: Hashable, value: V) -> None:
        """Keep a value and drop the least recently used ones until the bounds hold; too large ones are not kept."""
        size = self.size_of(value)
        if size > self.max_bytes:
            return
        with self._lock:
            if name in self._values:
                self.bytes -= self.size_of(self._values.pop(name))
            self._values[name] = value
            self.bytes += size
            while self.bytes > self.max_bytes or len(self._values) > self.max_count:
                _, dropped = self._values.popitem(last=False)
                self.bytes -= self.size_of(dropped)

    def get_or_make(self, name: Hashable, make: Callable[[], V]) -> V:
        """The value kept under a name; else `make()`, which is then kept.

        Whoever asks for it meanwhile waits for the same one, and gets the same error if it fails.
        """
        kept = self.get(name)
        if kept is not None:
            return kept
        with self._lock:
            made = self._making.get(name)
            if made is None:
                own = self._making[name] = Future[V]()
        if made is not None:
            return made.result()
        try:
            value = make()
            self.keep(name, value)
            own.set_result(value)
            return value
        except BaseException as error:
            own.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._making[name]


class CodeMemory(Memory[i2i.Codes]):
    """Codes of images."""

    def __init__(self, max_bytes: int, max_count: int) -> None:
        super().__init__(max_bytes, max_count, lambda codes: codes.tensor.nbytes)
