"""Parameters that can be moved on the page, and how far a slider goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.parameters import TABLE, profiles_of


@dataclass(frozen=True)
class Knob:
    """A parameter on the page.

    Attributes:
        name: of the parameter, which changes at any time.
        low, high, step: of its slider; zeros for a choice.
    """

    name: str
    low: float = 0.0
    high: float = 0.0
    step: float = 0.0

    @property
    def is_slider(self) -> bool:
        """Whether it is a number."""
        return self.step > 0

    @property
    def label(self) -> str:
        """Name and unit."""
        unit = TABLE[self.name].unit
        return f"{self.name} [{unit}]" if unit else self.name

    @property
    def hint(self) -> str:
        """Description of the parameter."""
        return TABLE[self.name].description

    def choices(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Words to choose from, with that in force among them.

        Args:
            values: of the node's parameters.
        """
        known = TABLE[self.name].limits.choices or _profiles(str(values.get("power_file", "")))
        return tuple(dict.fromkeys((*known, str(values[self.name]))))

    def span(self, value: float) -> tuple[float, float]:
        """Ends of the slider, so that the value in force is on it."""
        return min(self.low, value), max(self.high, value)


KNOBS = (
    Knob("power_profile"),
    Knob("max_rate", 0.0, 60.0, 1.0),
    Knob("depth_scale", 0.5, 2.0, 0.01),
    Knob("steadiness", 0.0, 1.0, 0.05),
    Knob("edges"),
    Knob("max_uncertainty", 0.0, 2.0, 0.05),
    Knob("min_depth", 0.0, 2.0, 0.05),
    Knob("max_depth", 1.0, 20.0, 0.5),
    Knob("depth_encoding"),
    Knob("output_size"),
    Knob("rotation"),
    Knob("gate"),
)
"""In the order in which the page shows them."""

NEEDED = ("power_file",)
"""Parameters that are read besides."""


def _profiles(power_file: str) -> tuple[str, ...]:
    """Names of the power profiles; none where the node's file is on another machine."""
    try:
        return tuple(profiles_of(power_file)) if power_file else ()
    except FastDepthError:
        return ()
