"""The compiled function of :mod:`~fastdepth_ros.filters.steadiness`, with what it keeps from answer to answer."""

from __future__ import annotations

import numpy as np

from fastdepth_ros.arguments import Arrays, Bind, Call, bound
from fastdepth_ros.filters.following import Follower
from fastdepth_ros.filters.functions import CELL, STEADY, functions
from fastdepth_ros.filters.limits import DARK, LONGEST, LONGEST_GOING
from fastdepth_ros.filters.pieces import Map

_GOES_ON = STEADY.index("goes_on")


class SteadyFunction:
    """Steadies answers of one shape.

    Args:
        shape: rows and columns.
        call: the function, bound to its arrays.
        arrays: by name.
        follower: of the pictures.
    """

    def __init__(self, shape: tuple[int, int], call: Call, arrays: Arrays, follower: Follower) -> None:
        self._call, self._follower = call, follower
        self._metres: Map = arrays["metres"].reshape(shape)
        self._grey, self._numbers = arrays["grey"], arrays["numbers"]
        arrays["lights"][:] = np.log(np.arange(256) + DARK)

    @classmethod
    def find(cls, shape: tuple[int, int], follower: Follower, bind: Bind | None) -> SteadyFunction | None:
        """The function for answers of that shape; None where there is none."""
        known = functions(CELL * shape[0], CELL * shape[1]).get("steady")
        made = bound(bind, *known, {"flow": follower.flow}) if known else None
        return None if made is None else cls(shape, *made, follower)

    def steady(self, metres: Map, steadiness: float, goes_on: bool) -> float:
        """Steady one answer, in place.

        Args:
            metres: (rows, columns) [m].
            steadiness: from 0 to 1.
            goes_on: whether an answer came shortly before.

        Returns:
            The share of pieces that go on; 0 where all began anew.
        """
        if goes_on:
            self._follower.find_flow()
        np.copyto(self._metres, metres)
        np.copyto(self._grey, self._follower.grey.reshape(-1))
        most = LONGEST**steadiness
        self._numbers[: _GOES_ON + 1] = most, min(most, LONGEST_GOING), goes_on
        self._call()
        share = float(self._numbers[_GOES_ON])
        if share:
            np.copyto(metres, self._metres)
        return share
