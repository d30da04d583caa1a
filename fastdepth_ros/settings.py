"""Allowed words and numbers of what may be wanted of a frame, once: whoever checks, asks or shows reads them here.

The pipeline's settings, the node's parameters, the commands' choices, the launch arguments and the documents do.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from fastdepth_ros.errors import SettingError, quoted

__all__ = [
    "LIMITS",
    "LONGEST_WORD",
    "AnchorScale",
    "AnchoringMode",
    "Cloud",
    "CompressedDepth",
    "DepthEncoding",
    "Edges",
    "GateMode",
    "ImageTransport",
    "Limits",
    "OutputCamera",
    "OutputSize",
    "Precision",
    "Rectify",
    "Rotation",
    "Value",
]

Value: TypeAlias = str | int | float | bool

OutputSize: TypeAlias = Literal["native", "camera"]
OutputCamera: TypeAlias = Literal["rectified", "raw"]
Rotation: TypeAlias = Literal["0", "90", "180", "270", "auto"]
Rectify: TypeAlias = Literal["auto", "on", "off"]
DepthEncoding: TypeAlias = Literal["32FC1", "16UC1"]
Edges: TypeAlias = Literal["keep", "remove", "guided"]
Cloud: TypeAlias = Literal["off", "xyz", "xyzrgb"]
CompressedDepth: TypeAlias = Literal["png", "rvl"]
Precision: TypeAlias = Literal["auto", "float32", "float16", "int8"]
ImageTransport: TypeAlias = Literal["raw", "compressed", "video", "ffmpeg", "foxglove"]
AnchoringMode: TypeAlias = Literal["auto", "off"]
AnchorScale: TypeAlias = Literal["metric", "relative"]
GateMode: TypeAlias = Literal["off", "warn", "drop"]

LONGEST_WORD = 1024
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_YAML_WORDS = {False: ("off", "no", "false"), True: ("on", "yes", "true")}


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
            words = f"a word that is not empty, of up to {LONGEST_WORD} characters that can be printed"
            return "one of " + ", ".join(self.choices) if self.choices else words
        kind = "a whole number" if self.kind is int else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}" + (f" [{self.unit}]" if self.unit else "")

    def check(self, name: str, value: object) -> Value:
        """The value in the setting's type.

        A whole number does where a number is wanted. If a word is wanted, what YAML takes for a number is one, and
        what it takes for true or false is the word among the choices that does: YAML reads ``off`` as false.

        Args:
            name: of the setting, for the error.
            value: what somebody gave.

        Raises:
            SettingError: the value is of another type, or outside what is allowed.
        """
        given = value
        if self.kind is float and type(value) is int and abs(value) < 1 << 62:
            value = float(value)
        if self.kind is str and isinstance(value, bool | int | float):
            value = self._word(value)
        if type(value) is not self.kind or not self._fits(value):
            raise SettingError(f"{name} cannot be {_shown(given)}", f"Use {self.allowed}.{_hint(given)}")
        return value  # type: ignore[return-value]  # its type is the wanted one now

    def _fits(self, value: object) -> bool:
        if isinstance(value, str):
            known = value in (self.choices or (value,))
            return known and 0 < len(value) <= LONGEST_WORD and not _UNPRINTABLE.search(value)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return self.low <= value <= self.high
        return True

    def _word(self, value: bool | int | float) -> object:
        """The word that was meant by what YAML made of it."""
        if not isinstance(value, bool):
            return str(value) if isinstance(value, float) or value.bit_length() < 64 else value
        return next((word for word in _YAML_WORDS[value] if word in self.choices), value)


def _shown(value: object) -> str:
    """A value as YAML writes it, and its kind where that is not what it looks like."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (a boolean)"
    return "empty" if value is None else quoted(value)


def _hint(value: object) -> str:
    return f" Put quotes around words that YAML reads as {str(value).lower()}." if isinstance(value, bool) else ""


LIMITS = {
    "precision": Limits(str, get_args(Precision)),
    "gate": Limits(str, get_args(GateMode)),
    "image_transport": Limits(str, get_args(ImageTransport)),
    "output_size": Limits(str, get_args(OutputSize)),
    "output_camera": Limits(str, get_args(OutputCamera)),
    "rotation": Limits(str, get_args(Rotation)),
    "rectify": Limits(str, get_args(Rectify)),
    "depth_encoding": Limits(str, get_args(DepthEncoding)),
    "cloud": Limits(str, get_args(Cloud)),
    "compressed_depth_format": Limits(str, get_args(CompressedDepth)),
    "cloud_stride": Limits(int, low=1, high=64),
    "min_depth": Limits(float, low=0.0, high=100.0, unit="m"),
    "max_depth": Limits(float, low=0.0, high=100.0, unit="m"),
    "max_uncertainty": Limits(float, low=0.0, high=100.0, unit="m"),
    "cloud_sigma": Limits(bool),
    "depth_scale": Limits(float, low=0.05, high=20.0),
    "steadiness": Limits(float, low=0.0, high=1.0),
    "edges": Limits(str, get_args(Edges)),
    "anchoring": Limits(str, get_args(AnchoringMode)),
    "anchor_scale": Limits(str, get_args(AnchorScale)),
}
"""Setting -> what is allowed. Parameters that only the node knows have their limits in its table of parameters."""
