"""What a process that passes images is made ready for."""

from __future__ import annotations

import subprocess
import sys

LOOK = """
import cv2
from fastdepth_ros.node.process import prepare_process
prepare_process()
print(cv2.getNumThreads())
"""


def test_opencv_has_no_threads_of_its_own_beside_those_of_the_node():
    done = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["1"]
