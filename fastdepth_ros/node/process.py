"""Memory, garbage collection and threads of a process that passes images."""

from __future__ import annotations

import ctypes
import gc
from collections.abc import Callable

import cv2

from fastdepth_ros.runtime.ros_log import provide_log_folder

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8  # of glibc's malloc.h
ARENAS = 4
LARGEST_MMAP_THRESHOLD = 32 << 20
TRIM_PERIOD = 60.0
"""Time between two calls of :func:`trim` [s]."""

TRIM_THRESHOLD = 256 << 20


def prepare_process() -> None:
    """Keep what the hot path must not wait for out of it.

    - Images come and go in buffers of megabytes, which malloc would map from the kernel and give back each time.
    - malloc keeps an arena for nearly each thread, with scraps of every model that was ever configured in it: 50 MB
      after 60 times. A few arenas do for those threads that work at the same time.
    - A full garbage collection visits every object of the ROS libraries, none of which is garbage; they are set aside.
    - OpenCV would share work with threads of its own, which look for more of it in loops: 0.8 ms of another core for
      each optical flow of a tenth of a millisecond. The parameter ``threads`` is for all that the node computes.

    And have ROS log where it can: it is about to start.
    """
    provide_log_folder()
    gc.freeze()
    cv2.setNumThreads(1)
    mallopt = _glibc("mallopt")
    mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD)
    mallopt(M_ARENA_MAX, ARENAS)


def trim() -> None:
    """Give the kernel back what malloc keeps free, between what is in use and behind it.

    Each peak (a setting that was tried, a busy hour) leaves some; all together that was 10 MB after ten minutes. It
    takes about a millisecond, and up to some ten where there is much.
    """
    _glibc("malloc_trim")(0)


def give_memory_back() -> None:
    """Give the kernel back what nobody uses any more: a model, buffers of settings that changed."""
    gc.collect()
    trim()


def _glibc(name: str) -> Callable[..., int]:
    """A function of the C library; one that does nothing where the library is another."""
    try:
        return getattr(ctypes.CDLL(None), name)  # type: ignore[no-any-return]
    except (OSError, AttributeError):
        return lambda *_: 0
