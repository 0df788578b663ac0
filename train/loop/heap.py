"""How the process holds its memory while it trains."""

import contextlib
import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # names of glibc's malloc.h


def keep_freed_memory() -> None:
    """Have glibc keep what is freed for the next step, instead of handing it back to the system.

    A step allocates the same gradients as the one before. Fetched anew each time, every page of them is
    filled with zeros first: a quarter to a third of a step where weights are large and images small.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
