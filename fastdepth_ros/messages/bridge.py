"""cv_bridge, where it is installed and right.

Pixels that have to be converted are decoded by the distribution's own library, as by the rest of the graph, if it gives
what OpenCV gives. Whether it does is found out and not assumed: it knows neither padded rows, nor ``nv12``, ``nv21``,
``uyvy`` and ``yuyv`` in every distribution, and one that was built for another numpy does not even fail: it crashes.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from fastdepth_ros.messages.encodings import ENCODINGS
from fastdepth_ros.messages.serialized import SerializedImage
from fastdepth_ros.picture import Picture

if TYPE_CHECKING:
    from sensor_msgs.msg import Image

TRIAL = "fastdepth_ros.messages.bridge_trial"
PATIENCE = 20.0
"""Time that the trial may take [s]."""


class Bridge:
    """cv_bridge for the encodings in which it is right.

    Args:
        bridge: a ``cv_bridge.CvBridge``.
        encodings: in which it is.
    """

    def __init__(self, bridge: Any, encodings: Iterable[str]) -> None:
        self._bridge = bridge
        self.encodings = frozenset(encodings)

    def reads(self, message: Image | SerializedImage) -> bool:
        """Whether cv_bridge is right for that message."""
        unpadded = message.step == message.width * ENCODINGS[message.encoding].pixel_bytes
        return message.encoding in self.encodings and unpadded and not message.is_bigendian

    def read(self, message: Image | SerializedImage) -> Picture:
        """The message's picture, as cv_bridge decodes it."""
        order = ENCODINGS[message.encoding].order
        return Picture(self._bridge.imgmsg_to_cv2(message, "mono8" if order == "grey" else "rgb8"), order)


def find_bridge() -> Bridge | None:
    """cv_bridge; None where it is not installed, or right in nothing. Tried in a process of its own (half a second)."""
    if importlib.util.find_spec("cv_bridge") is None:
        return None
    try:
        trial = subprocess.run(
            [sys.executable, "-m", TRIAL], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    encodings = set(trial.stdout.split()) & set(ENCODINGS) if trial.returncode == 0 else set()
    if not encodings:
        return None
    from cv_bridge import CvBridge

    return Bridge(CvBridge(), encodings)
