"""Pictures that the runtimes are shown: one to time with, rooms to calibrate with, other rooms to measure errors on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from fastdepth_ros.runtime.manifest import Manifest
from fastdepth_ros.scene.rooms.writer import CAMERAS, make_room, photograph

CALIBRATING, COMPARING = 60, 24
"""Pictures of each kind, six of a room."""

CALIBRATION_SEED, COMPARISON_SEED = 19, 91
"""No room of one seed is in the other."""


def stripes(height: int, width: int) -> Any:
    """A made-up picture (height, width, 3) uint8: neighbouring pixels are alike, as in a real one."""
    return np.sort(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8), axis=1)


def rooms(manifest: Manifest, seed: int, count: int, progress: Callable[[str], None]) -> Any:
    """Pictures of computed rooms as the network sees them, (count, height, width, 3) uint8 RGB.

    They are those of ``fastdepth rooms --seed SEED --count COUNT``, before they become JPEG.
    """
    found = []
    for number in range(count):
        progress(f"Computing rooms: {number} of {count}")
        if number % CAMERAS == 0:
            room = make_room(seed, number // CAMERAS)
        picture = photograph(room, seed, number)[0]
        view = manifest.view_of(picture.shape[1], picture.shape[0])
        size = (manifest.input_width, manifest.input_height)
        found.append(cv2.resize(view.cut(picture, 1), size, interpolation=cv2.INTER_LINEAR))
    return np.stack(found)
