"""A parameter: its name, default and limits, and when it may change."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from fastdepth_ros.settings import Limits, Value

OF_THE_NODE = frozenset(
    {
        *("cameras", "model", "target", "precision", "threads", "diagnostics_period", "power_profile", "power_file"),
        *("manage_board_mode", "nvpmodel_command", "board_root", "cpu_affinity", "niceness", "autostart"),
    }
)
"""Parameters that several cameras share; of each other one each camera may have a value of its own."""


class Change(Enum):
    """When a parameter may change, and how to get there."""

    LIVE = "at any time"
    INACTIVE = "while the node is not active"
    UNCONFIGURED = "while the node is unconfigured"
    START = "at start only"


def _as_it_is(value: object) -> object:
    return value


@dataclass(frozen=True)
class Spec:
    """One row of the table.

    Attributes:
        name: of the parameter.
        default: its value where nobody says otherwise; its type is the parameter's.
        description: what ``ros2 param describe`` says.
        change: when it may change.
        choices: the allowed words; empty where every word is.
        low, high: the allowed numbers, both included.
        unit: of the number.
        meant: makes the value of another that may stand for it.
    """

    name: str
    default: Value
    description: str
    change: Change = Change.LIVE
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""
    meant: Callable[[object], object] = field(default=_as_it_is, repr=False)

    @property
    def limits(self) -> Limits:
        """Allowed values; see :class:`~fastdepth_ros.settings.Limits`."""
        return Limits(type(self.default), self.choices, self.low, self.high, self.unit)

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        return self.limits.allowed

    def check(self, value: object) -> Value:
        """The value in the parameter's type; see :meth:`~fastdepth_ros.settings.Limits.check`.

        Raises:
            SettingError: the value is of another type, or outside what is allowed.
        """
        return self.limits.check(self.name, self.meant(value))

    @property
    def is_of_cameras(self) -> bool:
        """Whether each of several cameras may have a value of its own."""
        return self.name not in OF_THE_NODE

    def of(self, camera: str) -> Spec:
        """The row of one camera's own value, under its name."""
        about = f"{self.description} Of the camera {camera} alone; else as {self.name}."
        return replace(self, name=f"{camera}.{self.name}", description=about)
