"""``python -m fastdepth_ros.messages.bridge_trial``: prints the encodings that cv_bridge decodes as OpenCV does.

A process of its own, because a cv_bridge that does not fit this numpy takes the process that tries it along.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message
from sensor_msgs.msg import Image

from fastdepth_ros.messages.bridge import Bridge
from fastdepth_ros.messages.encodings import ENCODINGS
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker

UNPACKER = Unpacker()
TRIAL_SIZE = (16, 12)
"""Width and height of the picture that both have to decode alike [px]."""


def right_encodings(bridge: Any) -> list[str]:
    """Encodings, of those that have to be converted, in which a ``cv_bridge.CvBridge`` gives OpenCV's pixels."""
    converted = [name for name, encoding in ENCODINGS.items() if not encoding.is_view]
    tried, opencv = Bridge(bridge, converted), PictureReader(lambda: None)

    def is_right(name: str) -> bool:
        message = UNPACKER.unpack(serialize_message(trial_message(name)))  # as the node reads them
        try:
            return np.array_equal(tried.read(message).pixels, opencv.read(message).pixels)
        except Exception:  # cv_bridge raises a type of its own, AttributeError under numpy 2, TypeError for nv12
            return False

    return [name for name in converted if is_right(name)]


def trial_message(name: str) -> Image:
    """A small image of an encoding: the same noise every time."""
    encoding = ENCODINGS[name]
    width, height = TRIAL_SIZE
    message = Image(encoding=name, width=width, height=height, step=width * encoding.pixel_bytes)
    noise = np.random.default_rng(0).integers(0, 256, encoding.rows(height) * message.step, np.uint8)
    message.data.frombytes(noise.tobytes())
    return message


if __name__ == "__main__":
    from cv_bridge import CvBridge

    sys.stdout.write(" ".join(right_encodings(CvBridge())))
