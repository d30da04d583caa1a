"""LaserScan and Range to numpy."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.clouds import MOST_POINTS, Points
from fastdepth_ros.messages.reader import Reader, read
from fastdepth_ros.messages.serialized import SerializedHeader

WIDEST_CONE = math.radians(120)
"""Field of view above which a single range says nothing of where it was measured [rad]."""

MOST_TURN = 1.05 * 2 * math.pi
"""Angle from the first ray of a scan to its last, at most [rad]: one turn, and a little that some drivers repeat."""

OTHER_END = 0.05
"""Share of that angle by which the end may differ from what the message says."""

ULTRASOUND, USUAL_CONE = 0, math.radians(30)
"""Radiation type of sensors whose field of view is never 0, and what is assumed where a driver leaves it so [rad]."""


class Cone(NamedTuple):
    """Measurement of a range sensor: the nearest surface in a cone about its x axis is so far away.

    Attributes:
        header: stamp and frame.
        field_of_view: the whole angle of the cone [rad].
        range: distance from the sensor [m]; None where nothing was within its reach, or something was too near.
        sigma: standard deviation of the range [m]; NaN where the message has none.
        why: what was wrong where there is no range.
        doubt: what is wrong with the message, although it is used; empty where nothing is.
    """

    header: SerializedHeader
    field_of_view: float
    range: float | None
    sigma: float
    why: str = ""
    doubt: str = ""


def read_scan(serialized: bytes, most: int = MOST_POINTS) -> Points:
    """Points of a serialized sensor_msgs/LaserScan, in its frame: z is 0.

    By REP-117 a range of +Inf is "nothing there", of -Inf "too near", of NaN "no answer": none of them is a point, nor
    is one outside ``range_min`` and ``range_max``.

    Raises:
        AnchorError: the message cannot be read, its angles are none of a scan, or its limits are swapped.
    """
    header, angles, last, limits, ranges = read("LaserScan", _scan, serialized)
    sent = len(ranges)
    _check_angles(*angles, sent)
    step = max(1, -(-sent // most))
    with np.errstate(invalid="ignore"):  # any number may be in it
        measured = ranges[::step].astype(np.float64)
    low, high = limits
    _check_limits("scan", "range_min", "range_max", low, high)
    seen = (measured > 0) & (measured >= low) & np.isfinite(measured)
    if high > 0:  # some drivers leave it empty
        seen &= measured <= high
    cosines, sines = _directions(*angles, sent, step)
    xyz = np.zeros((int(seen.sum()), 3))
    xyz[:, 0] = measured[seen] * cosines[seen]
    xyz[:, 1] = measured[seen] * sines[seen]
    return Points(header, xyz, None, sent, doubt=_other_end(*angles, sent, last))


def _scan(
    message: Reader,
) -> tuple[SerializedHeader, tuple[float, float], float, tuple[float, float], npt.NDArray[np.floating]]:
    header = message.header()
    first, last, increment, _, _, low, high = message.numbers("7f")
    return header, (first, increment), last, (low, high), message.singles()


def _check_angles(first: float, increment: float, count: int) -> None:
    """Refuse angles that no scan has.

    Raises:
        AnchorError: they are no numbers, all the same, or of more than one turn.
    """
    turn = abs(increment) * max(count - 1, 0)
    if not (math.isfinite(first) and turn <= MOST_TURN and (increment or count < 2)):  # a NaN is no turn
        cause = f"the scan begins at {first:g} rad and goes on by {increment:g} rad for {count} rays"
        raise AnchorError(cause, "Check the lidar's driver: angles are in radians, and of one turn at most.")


def _other_end(first: float, increment: float, count: int, last: float) -> str:
    """Say that a scan ends elsewhere than its message says; empty where it does not.

    Drivers are off by a ray or two, and some leave the end empty.
    """
    end = first + increment * (count - 1)
    if count < 2 or not last or abs(end - last) <= max(3 * abs(increment), OTHER_END * abs(end - first)):
        return ""
    words = f"ends at {end:.2f} rad by its increment, and at {last:.2f} rad by its angle_max"
    return f"{words}: one of them is wrong. Check the lidar's driver"


@lru_cache(8)
def _directions(
    first: float, increment: float, count: int, step: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    angles = first + increment * np.arange(0, count, step)
    return np.cos(angles), np.sin(angles)


def read_range(serialized: bytes) -> Cone:
    """A serialized sensor_msgs/Range.

    By REP-117 +Inf is "nothing within reach" and -Inf "too near"; so are values outside ``min_range`` and
    ``max_range``, and at them, where many drivers leave what they do not see.

    Ultrasound whose field of view is 0 is taken for a cone of :data:`USUAL_CONE`: a beam it is not.

    Raises:
        AnchorError: the message cannot be read, its field of view is no angle of a cone, or its limits are swapped.
    """
    header, radiation, field_of_view, low, high, measured, variance = read("Range", _range, serialized)
    if not 0 <= field_of_view <= WIDEST_CONE:
        cause = f"the range's field_of_view is {field_of_view:g} rad"
        raise AnchorError(cause, f"Let its driver fill in the cone's angle, at most {WIDEST_CONE:.2f} rad.")
    _check_limits("range", "min_range", "max_range", low, high)
    doubt = ""
    if field_of_view == 0 and radiation == ULTRASOUND:
        field_of_view = USUAL_CONE
        doubt = f"is ultrasound with a field_of_view of 0: {USUAL_CONE:.2f} rad are assumed. Let its driver fill it in"
    why = _why_none(measured, low, high)
    sigma = math.sqrt(variance) if variance > 0 and math.isfinite(variance) else math.nan
    return Cone(header, field_of_view, None if why else measured, sigma, why, doubt)


def _check_limits(source: str, least: str, most: str, low: float, high: float) -> None:
    """Refuse limits between which nothing lies; a largest of 0 was left empty.

    Raises:
        AnchorError: they are swapped.
    """
    if low > high > 0:
        cause = f"the {source}'s {least} of {low:g} m is above its {most} of {high:g} m"
        raise AnchorError(cause, "Let its driver fill both in, in metres.")


def _range(message: Reader) -> tuple[SerializedHeader, int, float, float, float, float, float]:
    header = message.header()
    radiation = message.byte()
    field_of_view, low, high, measured = message.numbers("4f")
    variance = 0.0 if message.at_end else message.number("f")  # older distributions have none
    return header, radiation, field_of_view, low, high, measured, variance


def _why_none(measured: float, low: float, high: float) -> str:
    """Why a range is no measurement; empty if it is one."""
    if math.isnan(measured):
        return "no answer (NaN)"
    if measured <= max(low, 0.0):
        return "too near"
    if math.isinf(measured) or (high > 0 and measured >= high):
        return "nothing within reach"
    return ""
