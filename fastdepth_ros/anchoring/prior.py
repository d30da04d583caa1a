"""Knowledge of a network's errors before anything is measured; a bundle's manifest holds it as ``anchoring``."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Protocol

from fastdepth_ros.errors import BundleError, quoted

DEVIATIONS = (1e-3, 3.0)
"""Standard deviations that a prior may have, in the logarithm of depth; beyond these, fits lose their last digit."""

FACTORS = (1e-2, 100.0)

RANGES = {
    "reach": (4.0, 1000.0),
    "alike": (0.01, 10.0),
    "colour": (0.01, 10.0),
    "spread": FACTORS,
    "spread_edge": (0.0, 100.0),
    "edge": (1e-3, 10.0),
    "spread_up": (0.0, 5.0),
    "spread_side": (0.0, 5.0),
    "alone": FACTORS,
    "anchored": FACTORS,
    "few": (0.1, 1000.0),
    "usual": (0.1, 100.0),
    "near": (0.0, 5.0),
    "near_up": (0.0, 10.0),
}
"""Smallest and largest of the other numbers."""

FITTED_SIDE = 224
"""Width and height of the network's input that the defaults in pixels were fitted to [px]."""


class Described(Protocol):
    """A bundle's manifest, as far as its errors and its input go."""

    @property
    def name(self) -> str: ...
    @property
    def input_width(self) -> int: ...
    @property
    def input_height(self) -> int: ...
    @property
    def anchoring(self) -> Mapping[str, Any] | None: ...


@dataclass(frozen=True)
class Prior:
    """Standard deviations and lengths of a network's errors log(true / answered), learned from places it never saw.

    An error is a line over the logarithm of depth, a tilt over the picture, a local part that neighbours of a similar
    answer and colour share, and noise of the single cell.

    Attributes:
        place_scale, place_slope: of the line as the place has it; they stay for minutes.
        view_scale, view_slope: of the line as the view has it on top; they stay for seconds.
        tilt_x, tilt_y: per 100 px of the network's input.
        local: of the local part.
        reach: its length in the picture [px of the network's input].
        alike: its length in the logarithm of depth.
        colour: its length in colours from 0 to 1.
        cell: noise of a single cell.
        spread: factor on the standard deviations of local part and cell, fitted to the weights' errors.
        spread_edge: its growth with the range of the logarithm of depth among neighbouring nodes.
        edge: standard deviation, as a share of the range of the logarithm of depth among neighbouring 2x2 cells.
        spread_up: its growth towards the picture's top, as the exponent at the top edge; less towards the bottom.
        spread_side: its growth towards the left and right edges, as the exponent there.
        alone, anchored: factors on standard deviations where nothing was ever measured, and where much is.
        few: anchors with which the factor is half way between these.
        usual: geometric mean of depth in a picture, below which the network knows less of it [m].
        near: growth of standard deviations with the logarithm of how much nearer than that a picture is.
        near_up: further growth with that, at the picture's top edge; none from its middle down.
    """

    place_scale: float = 0.22
    place_slope: float = 0.05
    view_scale: float = 0.1
    view_slope: float = 0.09
    tilt_x: float = 0.05
    tilt_y: float = 0.08
    local: float = 0.24
    reach: float = 36.0
    alike: float = 0.14
    colour: float = 0.38
    cell: float = 0.045
    spread: float = 1.0
    spread_edge: float = 1.7
    edge: float = 0.13
    spread_up: float = 0.25
    spread_side: float = 0.2
    alone: float = 0.45
    anchored: float = 0.678
    few: float = 6.3
    usual: float = 2.62
    near: float = 0.53
    near_up: float = 3.4

    def to_json(self) -> dict[str, float]:
        """The numbers by name, as a manifest holds them."""
        return asdict(self)

    @classmethod
    def of(cls, manifest: Described) -> Prior:
        """The numbers of a bundle; those that it lacks are the defaults, as long in its pictures as in those of 224 px.

        Raises:
            BundleError: a number is none, or out of range.
        """
        wide, high = manifest.input_width / FITTED_SIDE, manifest.input_height / FITTED_SIDE
        lengths = {
            "reach": cls.reach * math.sqrt(wide * high),
            "tilt_x": cls.tilt_x / wide,
            "tilt_y": cls.tilt_y / high,
        }
        return cls.from_json(lengths | dict(manifest.anchoring or {}), f"the manifest of {manifest.name}")

    @classmethod
    def from_json(cls, numbers: Mapping[str, Any] | None, path: Path | str = "the manifest") -> Prior:
        """Read a manifest's numbers; what is missing has its default, unknown ones are left for later versions.

        Raises:
            BundleError: a number is none, or out of range.
        """
        if numbers is None:
            return cls()
        known = {field.name: numbers[field.name] for field in fields(cls) if field.name in numbers}
        for name, value in known.items():
            low, high = RANGES.get(name, DEVIATIONS)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (number and low <= value <= high):
                cause = f"{path} has the anchoring number {name} = {quoted(value)}"
                raise BundleError(cause, f"It has to be a number from {low:g} to {high:g}: import the model again.")
        return cls(**{name: float(value) for name, value in known.items()})
