"""The caches of codes and answers: their bounds, and many threads at once."""

import threading

import torch

import i2i_models as i2i
from ui.cache import Cache


def codes(numbers: int) -> i2i.Codes:
    return i2i.Codes(torch.zeros(1, numbers), "A2B", (1, 1), (0, 0, 1, 1))


def code_bytes(codes: i2i.Codes) -> int:
    return codes.tensor.nbytes


def test_the_cache_keeps_what_was_used_last_within_its_bounds() -> None:
    kept: Cache[i2i.Codes] = Cache(400, 3, code_bytes)
    names = [("a", "A2B", str(i)) for i in range(5)]
    for name in names[:3]:
        kept.keep(name, codes(10))
    assert kept.get(names[0]) is not None
    kept.keep(names[3], codes(10))
    assert kept.get(names[1]) is None and len(kept) == 3, "the least recently used one goes"
    kept.keep(names[4], codes(81))
    assert [kept.get(name) is not None for name in names] == [False, False, False, True, True], "bytes count, too"
    assert kept.bytes == 364
    kept.keep(names[4], codes(10))
    assert kept.bytes == 80, "the same name twice is one"
    kept.keep(names[0], codes(1000))
    assert kept.get(names[0]) is None and kept.bytes == 80, "what is too large for the cache does not empty it"


def test_the_cache_keeps_its_books_under_threads() -> None:
    kept: Cache[i2i.Codes] = Cache(4000, 20, code_bytes)

    def use(start: int) -> None:
        for i in range(300):
            name = ("a", "A2B", str((start * 7 + i) % 40))
            if kept.get(name) is None:
                kept.keep(name, codes(i % 50 + 1))

    threads = [threading.Thread(target=use, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kept) <= 20
    assert kept.bytes == sum(c.tensor.nbytes for c in kept._values.values()) <= 4000
