"""Allowed words and numbers of what may be wanted of a frame, once: whoever checks, asks or shows reads them here.

The pipeline's settings, the node's parameters, the commands' choices, the launch arguments and the documents do.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from fastdepth_ros.errors import SettingError

__all__ = ["LIMITS", "Cloud", "DepthEncoding", "ImageTransport", "Limits", "OutputSize", "Precision", "Value"]

Value: TypeAlias = str | int | float | bool

OutputSize: TypeAlias = Literal["native", "camera"]
DepthEncoding: TypeAlias = Literal["32FC1", "16UC1"]
Cloud: TypeAlias = Literal["off", "xyz", "xyzrgb"]
Precision: TypeAlias = Literal["float32", "int8"]
ImageTransport: TypeAlias = Literal["raw", "compressed"]


@dataclass(frozen=True)
class Limits:
    """Allowed values of one setting.

    Attributes:
        kind: type of the value.
        choices: the allowed words; empty where every word is.
        low, high: the allowed numbers, both included.
        unit: of the number.
    """

    kind: type
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if self.kind is bool:
            return "true or false"
        if self.kind is str:
            return "one of " + ", ".join(self.choices) if self.choices else "a word that is not empty"
        kind = "a whole number" if self.kind is int else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}" + (f" [{self.unit}]" if self.unit else "")

    def check(self, name: str, value: object) -> Value:
        """The value in the setting's type; a whole number does where a number is wanted.

        Args:
            name: of the setting, for the error.
            value: what somebody gave.

        Raises:
            SettingError: the value is of another type, or outside what is allowed.
        """
        if self.kind is float and type(value) is int:
            value = float(value)
        fits = type(value) is self.kind
        if isinstance(value, str):
            fits = fits and value in (self.choices or (value,)) and value != ""
        elif isinstance(value, int | float) and not isinstance(value, bool):
            fits = fits and self.low <= value <= self.high
        if not fits:
            raise SettingError(f"{name} cannot be {value!r}", f"Use {self.allowed}.")
        return value  # type: ignore[return-value]  # its type is the wanted one now


LIMITS = {
    "precision": Limits(str, get_args(Precision)),
    "image_transport": Limits(str, get_args(ImageTransport)),
    "output_size": Limits(str, get_args(OutputSize)),
    "depth_encoding": Limits(str, get_args(DepthEncoding)),
    "cloud": Limits(str, get_args(Cloud)),
    "cloud_stride": Limits(int, low=1, high=64),
    "min_depth": Limits(float, low=0.0, high=100.0, unit="m"),
    "max_depth": Limits(float, low=0.0, high=100.0, unit="m"),
}
"""Setting -> what is allowed. Parameters that only the node knows have their limits in its table of parameters."""
