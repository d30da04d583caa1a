"""cv_bridge, where it is installed and right.

Pixels that have to be converted are decoded by the distribution's own library, as by the rest of the graph, if it gives
what OpenCV gives. Whether it does is found out and not assumed: a cv_bridge from apt fails under a newer numpy or
OpenCV, and it knows neither padded rows, nor ``nv12``, ``nv21``, ``uyvy`` and ``yuyv`` in every distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sensor_msgs.msg import Image

from fastdepth_ros.messages.encodings import ENCODINGS
from fastdepth_ros.picture import Picture

Trial = Callable[[Image], Picture]
TRIAL_SIZE = (16, 12)
"""Width and height of the picture that both have to decode alike [px]."""


class Bridge:
    """cv_bridge behind a trial of every encoding.

    Args:
        bridge: a ``cv_bridge.CvBridge``.
        opencv: how the project reads the same message itself.
    """

    def __init__(self, bridge: Any, opencv: Trial) -> None:
        self._bridge = bridge
        self.encodings = frozenset(
            name for name, encoding in ENCODINGS.items() if not encoding.is_view and self._is_right(name, opencv)
        )

    def reads(self, message: Image) -> bool:
        """Whether cv_bridge is right for that message."""
        unpadded = message.step == message.width * ENCODINGS[message.encoding].pixel_bytes
        return message.encoding in self.encodings and unpadded and not message.is_bigendian

    def read(self, message: Image) -> Picture:
        """The message's picture, as cv_bridge decodes it."""
        order = ENCODINGS[message.encoding].order
        return Picture(self._bridge.imgmsg_to_cv2(message, "mono8" if order == "grey" else "rgb8"), order)

    def _is_right(self, name: str, opencv: Trial) -> bool:
        message = trial_message(name)
        try:
            return np.array_equal(self.read(message).pixels, opencv(message).pixels)
        except Exception:  # cv_bridge raises a type of its own, AttributeError under numpy 2, TypeError for nv12
            return False


def find_bridge(opencv: Trial) -> Bridge | None:
    """cv_bridge, or None where it is not installed or cannot be imported."""
    try:
        from cv_bridge import CvBridge

        return Bridge(CvBridge(), opencv)
    except Exception:  # built for another numpy it raises more than ImportError
        return None


def trial_message(name: str) -> Image:
    """A small image of an encoding: the same noise every time."""
    encoding = ENCODINGS[name]
    width, height = TRIAL_SIZE
    message = Image(encoding=name, width=width, height=height, step=width * encoding.pixel_bytes)
    noise = np.random.default_rng(0).integers(0, 256, encoding.rows(height) * message.step, np.uint8)
    message.data.frombytes(noise.tobytes())
    return message
