"""Settings of the C library for the large blocks that every step makes anew."""

from __future__ import annotations

import ctypes


def keep_freed_memory() -> None:
    """Make the C library reuse freed blocks instead of returning them to the system at once.

    Maps of tens of megabytes are made anew in every step; asking the system for zeroed pages each time took 40 % of
    the training time where this was measured. Does nothing where the C library is not glibc.
    """
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # M_* of malloc.h
    mallopt(mmap_max, 0)
    mallopt(trim_threshold, -1)
    mallopt(top_pad, 64 << 20)
