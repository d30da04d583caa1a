"""The way of the hand-held camera through the room."""

from __future__ import annotations

import math

import numpy as np

from fastdepth_ros.scene.shapes import Pose

START, END = (1.15, 0.55, 1.50), (1.75, 1.15, 1.42)
LOOK_START, LOOK_END = (1.35, 4.6, 0.95), (4.05, 4.5, 0.92)


def pose_at(progress: float) -> Pose:
    """The pose at ``progress`` 0..1 of the way: a slow step forward, a turn to the right, and the sway of a hand."""
    ease = progress * progress * (3 - 2 * progress)
    sway = (
        0.012 * math.sin(9.0 * progress + 0.5),
        0.008 * math.sin(13.0 * progress),
        0.012 * math.sin(17.0 * progress + 1.0),
    )
    position = np.array([a + ease * (b - a) + s for a, b, s in zip(START, END, sway, strict=True)])
    target = np.array([a + ease * (b - a) for a, b in zip(LOOK_START, LOOK_END, strict=True)])
    roll = math.radians(1.2 * math.sin(7.0 * progress + 0.3))

    forward = target - position
    forward /= math.sqrt(forward @ forward)
    right = np.cross(forward, (0.0, 0.0, 1.0))
    right /= math.sqrt(right @ right)
    down = np.cross(forward, right)
    turned_right = math.cos(roll) * right + math.sin(roll) * down
    turned_down = math.cos(roll) * down - math.sin(roll) * right
    return Pose(position, np.stack([turned_right, turned_down, forward]))
