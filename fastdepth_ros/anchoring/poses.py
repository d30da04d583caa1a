"""Poses of one frame in another, and the places that a robot's owner measures with a ruler.

Convention:
    A pose takes coordinates in its frame to those of the frame it is given in, as tf's transforms do (parent from
    child). Angles are roll, pitch and yaw about the fixed axes x, y, z [rad]. Body frames have x forward, y left,
    z up; optical frames x right, y down, z forward (REP-103).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import AnchorError, SettingError

Floats = npt.NDArray[np.float64]

LENGTH_OFF = 0.1
"""By how much the length of a quaternion may differ from 1 before it is none."""

FARTHEST_SENSOR, MOST_TURN = 50.0, 2 * math.pi + 0.01
"""Distance of a sensor from its camera [m], and angle [rad], beyond which what was written down is of another unit."""

FARTHEST = 1e7
"""Metres beyond which a translation is an error: more than any UTM coordinate."""


class Pose(NamedTuple):
    """A rotation, and where the origin is.

    Attributes:
        rotation: (3, 3).
        translation: (3,) [m].
    """

    rotation: Floats
    translation: Floats

    @classmethod
    def of(cls, translation: tuple[float, float, float], quaternion: tuple[float, float, float, float]) -> Pose:
        """A translation [m], and a quaternion x, y, z, w that need not be of length 1 to the last digit.

        Raises:
            AnchorError: a number is not finite, or too large, or the quaternion is none.
        """
        length = math.sqrt(sum(each * each for each in quaternion)) if all(map(_small, quaternion)) else math.nan
        if not (all(abs(each) < FARTHEST for each in translation) and abs(length - 1) < LENGTH_OFF):
            cause = f"a transform of {translation} m with the quaternion {quaternion} is none"
            raise AnchorError(cause, "Check who publishes it: quaternions are of length 1, numbers finite.")
        x, y, z, w = (each / length for each in quaternion)
        rotation = (
            (1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)),
            (2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)),
            (2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)),
        )
        return cls(np.array(rotation), np.array(translation, np.float64))

    def __matmul__(self, other: Pose) -> Pose:
        """The pose of the other's frame, where the other is given in this one's."""
        return Pose(self.rotation @ other.rotation, self.rotation @ other.translation + self.translation)

    def inverse(self) -> Pose:
        """The pose of the frame that this one is given in, in this one's."""
        return Pose(self.rotation.T, -self.rotation.T @ self.translation)

    def equals(self, other: Pose) -> bool:
        """Whether all numbers are the same."""
        return self is other or (
            np.array_equal(self.rotation, other.rotation) and np.array_equal(self.translation, other.translation)
        )

    def apply(self, points: Floats) -> Floats:
        """Points (n, 3) of this frame in the one that it is given in [m]."""
        return points @ self.rotation.T + self.translation


IDENTITY = Pose(np.eye(3), np.zeros(3))

OPTICAL = Pose(np.array(((0.0, 0.0, 1.0), (-1.0, 0.0, 0.0), (0.0, -1.0, 0.0))), np.zeros(3))
"""An optical frame in the body frame at the same place."""


def _small(number: float) -> bool:
    return abs(number) < 10  # false for NaN as well


def is_pose(translation: tuple[float, float, float], quaternion: tuple[float, float, float, float]) -> bool:
    """Whether :meth:`Pose.of` surely makes a pose of these numbers; it may of some at the very limit as well.

    All that a robot says on /tf is asked this, and few of it become matrices.
    """
    x, y, z = translation
    a, b, c, d = quaternion
    near = abs(x) < FARTHEST and abs(y) < FARTHEST and abs(z) < FARTHEST  # false for NaN as well
    return near and _SHORTEST < a * a + b * b + c * c + d * d < _LONGEST


_SHORTEST, _LONGEST = (1 - 0.99 * LENGTH_OFF) ** 2, (1 + 0.99 * LENGTH_OFF) ** 2


def angle_between(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> float:
    """Angle by which two rotations differ [rad]; quaternions x, y, z, w need not be of length 1."""
    product = abs(sum(a * b for a, b in zip(one, other, strict=True)))
    return 2 * math.acos(min(1.0, product / (math.hypot(*one) * math.hypot(*other))))


def quaternion_of(roll: float, pitch: float, yaw: float) -> tuple[float, float, float, float]:
    """Quaternion x, y, z, w of a rotation about the fixed axes x, then y, then z [rad], as URDF has it."""
    cr, cp, cy = (math.cos(angle / 2) for angle in (roll, pitch, yaw))
    sr, sp, sy = (math.sin(angle / 2) for angle in (roll, pitch, yaw))
    return (
        sr * cp * cy - cr * sp * sy,
        cr * sp * cy + sr * cp * sy,
        cr * cp * sy - sr * sp * cy,
        cr * cp * cy + sr * sp * sy,
    )


def parse_extrinsics(text: str, sources: tuple[str, ...]) -> dict[str, Pose]:
    """Poses of sensors in the camera's body frame, as a robot's owner writes them down.

    ``scan=0.1 0 -0.05 0 0 0; range=0.02 0 0 0 0 0 1``: per source x y z [m] and roll pitch yaw [rad], or a quaternion
    x y z w; sources are parted by semicolons.

    Args:
        text: as above.
        sources: names that are known.

    Raises:
        SettingError: it is not like that; the remedy shows one that is.
    """
    poses: dict[str, Pose] = {}
    for entry in text.split(";"):
        if not entry.strip():
            continue
        name, _, numbers = entry.replace(":", "=").partition("=")  # a colon is YAML's own in a command line
        name = name.strip()
        if name not in sources:
            raise _cannot(entry, f"{name!r} is none of {', '.join(sources)}")
        poses[name] = _pose(entry, numbers.replace(",", " ").split())
    return poses


def _pose(entry: str, words: list[str]) -> Pose:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        raise _cannot(entry, "it holds something that is no number") from None
    if len(numbers) not in (6, 7) or not all(map(math.isfinite, numbers)):
        raise _cannot(entry, f"it holds {len(numbers)} numbers")
    x, y, z, *turn = numbers
    if max(map(abs, (x, y, z))) > FARTHEST_SENSOR:
        raise _cannot(entry, f"no sensor is {max(map(abs, (x, y, z))):g} m from its camera; metres are wanted")
    if len(turn) == 3 and max(map(abs, turn)) > MOST_TURN:
        raise _cannot(entry, f"{max(turn, key=abs):g} is no angle in radians; 180 degrees are 3.14159")
    try:
        return Pose.of((x, y, z), quaternion_of(*turn) if len(turn) == 3 else (turn[0], turn[1], turn[2], turn[3]))
    except AnchorError as error:
        raise _cannot(entry, error.cause) from error


def _cannot(entry: str, why: str) -> SettingError:
    remedy = "Use SOURCE=x y z roll pitch yaw [m, rad], or x y z and a quaternion; as scan=0.1 0 -0.05 0 0 0."
    return SettingError(f"anchor_extrinsics cannot be {entry.strip()!r}: {why}", remedy)
