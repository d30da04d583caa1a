"""Imu and TFMessage: which way is down, and where frames are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros import cdr
from fastdepth_ros.messages.reader import Reader, read
from fastdepth_ros.messages.serialized import SerializedHeader

GRAVITY = 9.81
"""Acceleration that an accelerometer at rest shows [m/s2]."""

AT_REST = 0.1
"""Share of it by which a reading may differ before it is taken for a movement's."""

CONTRADICTS = math.cos(math.radians(30))
"""Cosine of the angle from which on orientation and acceleration contradict each other. A movement that is taken for
rest leans the acceleration by 25 degrees at most."""

MOST_TRANSFORMS = 4096
"""More than any robot has; a message that says more is none."""

LENGTH_OFF = 0.1
"""By how much the length of a quaternion may differ from 1."""


class Down(NamedTuple):
    """Direction of "down" in an inertial unit's frame.

    Attributes:
        header: stamp and frame.
        direction: (3,) unit vector; None where the message does not say.
        why: what is wrong where there is none.
    """

    header: SerializedHeader
    direction: npt.NDArray[np.float64] | None
    why: str = ""


class Transform(NamedTuple):
    """A geometry_msgs/TransformStamped: where the child frame is in its parent.

    Attributes:
        header: stamp and parent frame.
        child: the frame.
        translation: x, y, z [m].
        quaternion: x, y, z, w.
    """

    header: SerializedHeader
    child: str
    translation: tuple[float, float, float]
    quaternion: tuple[float, float, float, float]


def read_down(serialized: bytes) -> Down:
    """Down in the frame of a serialized sensor_msgs/Imu.

    From its orientation, where it has one (the first covariance is -1 where not), else from its acceleration, which
    points up while the unit is at rest. Where both tell it and contradict each other, neither is believed: drivers that
    know no orientation often leave the message's own, which is level, and no -1.

    Raises:
        AnchorError: the message cannot be read.
    """
    header, quaternion, covariance, acceleration = read("Imu", _imu, serialized)
    length, size = _length(quaternion), _length(acceleration)
    down = -np.array(acceleration) / size if abs(size / GRAVITY - 1) < AT_REST else None
    if covariance >= 0 and abs(length - 1) < LENGTH_OFF:  # a NaN is neither
        x, y, z, w = (each / length for each in quaternion)
        # Down of the world, (0, 0, -1), turned into the unit's frame: minus the third row of its rotation.
        turned = -np.array((2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)))
        if down is None or turned @ down > CONTRADICTS:
            return Down(header, turned)
        off = math.degrees(math.acos(max(-1.0, float(turned @ down))))
        why = f"its orientation and its acceleration differ by {off:.0f} degrees; without an orientation,"
        return Down(header, None, f"{why} orientation_covariance begins with -1")
    if down is None:
        why = f"no orientation, and an acceleration of {size:.2f} m/s2, which is not that of a unit at rest"
        return Down(header, None, why)
    return Down(header, down)


def _length(vector: tuple[float, ...]) -> float:
    return math.sqrt(sum(each * each for each in vector))


def _imu(message: Reader) -> tuple[SerializedHeader, tuple[float, ...], float, tuple[float, ...]]:
    header = message.header()
    quaternion, covariance = message.numbers("4d"), message.numbers("9d")
    message.numbers("12d")  # how fast it turns
    return header, quaternion, covariance[0], message.numbers("3d")


def read_transforms(serialized: bytes) -> list[Transform]:
    """Transforms of a serialized tf2_msgs/TFMessage; any number may be in them.

    Raises:
        AnchorError: the message cannot be read.
    """
    return read("TFMessage", _transforms, serialized)


def restamped_transforms(serialized: bytes, new_stamp: Callable[[int], int]) -> bytes:
    """A copy of a serialized tf2_msgs/TFMessage whose transforms have other stamps.

    Args:
        serialized: the message.
        new_stamp: the old stamp -> the new one [ns].

    Raises:
        AnchorError: the message cannot be read.
    """
    data = bytearray(serialized)
    for at, header in read("TFMessage", _stamps, serialized):
        stamp = new_stamp(header.sec * cdr.SECOND + header.nanosec)
        cdr.put_stamp(data, *divmod(stamp, cdr.SECOND), at)
    return bytes(data)


def _stamps(message: Reader) -> list[tuple[int, SerializedHeader]]:
    """Offset of the stamp of each transform, and its header."""
    return [(message.aligned(4), _transform(message).header) for _ in range(_count(message))]


def _count(message: Reader) -> int:
    count = message.word()
    if count > MOST_TRANSFORMS:
        raise ValueError(f"it says that it has {count} transforms")
    return count


def _transforms(message: Reader) -> list[Transform]:
    return [_transform(message) for _ in range(_count(message))]


def _transform(message: Reader) -> Transform:
    header, child = message.header(), message.string()
    x, y, z, *quaternion = message.numbers("7d")
    return Transform(header, child, (x, y, z), tuple(quaternion))


def read_transform(serialized: bytes) -> Transform:
    """A serialized geometry_msgs/TransformStamped.

    Raises:
        AnchorError: the message cannot be read.
    """
    return read("TransformStamped", _transform, serialized)
