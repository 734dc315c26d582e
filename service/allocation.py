"""How the C library hands out memory: what a burst of first resolves took is to be given back.

A page is read into pieces of some megabytes, and among them parsing leaves facts that stay. With an allocator of its
own for each thread, as glibc has it, and pieces of any size cut from one heap, what was freed lies between what stays:
a third of a worker's memory. The interpreter lock lets one thread allocate at a time, so one heap serves all.
"""

from __future__ import annotations

import ctypes
import sys

# What mallopt is told to set, as malloc.h has it.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
LARGE = 256 * 1024  # bytes, from which on a piece is mapped by itself and given back when it is freed
SPARE = 1024 * 1024  # bytes at the end of the heap that are kept for what comes next


def tune() -> None:
    """Use one heap, and none for large pieces; where the C library is another one, it has its own ways."""
    if sys.platform != "linux":
        return
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, value in ((_M_ARENA_MAX, 1), (_M_MMAP_THRESHOLD, LARGE), (_M_TRIM_THRESHOLD, SPARE)):
            set_option(option, value)
