"""What the process of a node that passes images needs of memory and garbage collection."""

from __future__ import annotations

import ctypes
import gc

from fastdepth_ros.runtime.ros_log import provide_log_folder

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
LARGEST_MMAP_THRESHOLD = 32 << 20
TRIM_THRESHOLD = 256 << 20


def prepare_process() -> None:
    """Keep what the hot path must not wait for out of it.

    - Images come and go in buffers of megabytes, which malloc would map from the kernel and give back each time.
    - A full garbage collection visits every object of the ROS libraries, none of which is garbage; they are set aside.

    And have ROS log where it can: it is about to start.
    """
    provide_log_folder()
    gc.freeze()
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # not glibc
        return
    mallopt(M_MMAP_THRESHOLD, LARGEST_MMAP_THRESHOLD)
    mallopt(M_TRIM_THRESHOLD, TRIM_THRESHOLD)
