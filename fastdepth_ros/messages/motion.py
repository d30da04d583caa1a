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

APART = 30.0
"""Angle beyond which orientation and acceleration contradict each other [degrees]; what moves reads 24 off at rest."""

MOVES = "The floor waits until the robot rests."
"""Remedy where a unit says nothing because it moves."""

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
        remedy: what to do about it.
        doubt: what is wrong with the message, although it is used; nothing is found so far.
    """

    header: SerializedHeader
    direction: npt.NDArray[np.float64] | None
    why: str = ""
    remedy: str = MOVES
    doubt: str = ""


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
    points up while the unit is at rest (REP-145). Where both say it, they have to agree: an orientation that was left
    as a message is made, without a turn and without a covariance, gives way; another contradiction says nothing.

    Raises:
        AnchorError: the message cannot be read.
    """
    header, quaternion, covariance, acceleration = read("Imu", _imu, serialized)
    length = math.sqrt(sum(each * each for each in quaternion))
    turned = None
    if covariance[0] >= 0 and abs(length - 1) < LENGTH_OFF:  # a NaN is neither
        x, y, z, w = (each / length for each in quaternion)
        # Down of the world, (0, 0, -1), turned into the unit's frame: minus the third row of its rotation.
        turned = -np.array((2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)))
    size = math.sqrt(sum(each * each for each in acceleration))
    if not abs(size / GRAVITY - 1) < AT_REST:
        why = f"no orientation, and an acceleration of {size:.2f} m/s2, which is not that of a unit at rest"
        return Down(header, turned, "" if turned is not None else why)
    fallen = -np.array(acceleration) / size
    if turned is None:
        return Down(header, fallen)
    angle = math.degrees(math.acos(min(1.0, max(-1.0, float(turned @ fallen)))))
    if angle <= APART:
        return Down(header, turned)
    if quaternion == UNTURNED and not any(covariance):
        return Down(header, fallen)
    why = f"down by its orientation is {angle:.0f} degrees from down by its acceleration"
    remedy = "Let its driver publish both in one frame, the acceleration at rest upwards, or a covariance of -1 first."
    return Down(header, None, why, remedy)


UNTURNED = (0.0, 0.0, 0.0, 1.0)
"""Orientation of a message that nobody filled in."""


def _imu(message: Reader) -> tuple[SerializedHeader, tuple[float, ...], tuple[float, ...], tuple[float, ...]]:
    header = message.header()
    quaternion, covariance = message.numbers("4d"), message.numbers("9d")
    message.numbers("12d")  # how fast it turns
    return header, quaternion, covariance, message.numbers("3d")


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
