"""The node's parameters: one table, and one function that holds values against it, at start and at run time."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from enum import Enum
from functools import cache
from typing import Any, Literal

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

from fastdepth_ros import models
from fastdepth_ros.codec.decoder import MAX_PIXELS
from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.pipeline import Settings
from fastdepth_ros.power import Profiles, load_profiles
from fastdepth_ros.power.files import parse_list
from fastdepth_ros.power.nvpmodel import check_command
from fastdepth_ros.runtime.engine import max_threads

Value = str | int | float | bool

MONO16_LEAST = 8
"""Bits of a camera that sends 16."""

SHIPPED, FROM_PROFILE, ALL = "shipped", "profile", "all"
"""Words that stand for a file of profiles, and for cores."""


LONGEST_WORD = 1024
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_YAML_WORDS = {False: ("off", "no", "false"), True: ("on", "yes", "true")}


class Change(Enum):
    """When a parameter may change, and how to get there."""

    LIVE = "at any time"
    INACTIVE = "while the node is not active"
    UNCONFIGURED = "while the node is unconfigured"
    START = "at start only"


_WAYS = {
    Change.INACTIVE: "Deactivate the node, set {name}, and activate it again (ros2 lifecycle set NODE deactivate).",
    Change.UNCONFIGURED: "Deactivate and clean up the node, set {name}, configure and activate it again"
    " (ros2 lifecycle set NODE cleanup).",
    Change.START: "Start the node with it: --ros-args -p {name}:=VALUE.",
}
_STATES = {
    Change.LIVE: ("unconfigured", "inactive", "active"),
    Change.INACTIVE: ("unconfigured", "inactive"),
    Change.UNCONFIGURED: ("unconfigured",),
}


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
    """

    name: str
    default: Value
    description: str
    change: Change = Change.LIVE
    choices: tuple[str, ...] = ()
    low: float = -math.inf
    high: float = math.inf
    unit: str = ""

    @property
    def allowed(self) -> str:
        """The allowed values, in words."""
        if isinstance(self.default, bool):
            return "true or false"
        if isinstance(self.default, str):
            words = f"a word that is not empty, of up to {LONGEST_WORD} characters that can be printed"
            return "one of " + ", ".join(self.choices) if self.choices else words
        kind = "a whole number" if isinstance(self.default, int) else "a number"
        return f"{kind} from {self.low:g} to {self.high:g}" + (f" [{self.unit}]" if self.unit else "")

    def check(self, value: object) -> Value:
        """The value in the parameter's type.

        A whole number does where a number is wanted. Where a word is wanted, what YAML takes for a number is one, and
        what it takes for true or false is the word among the choices that does: YAML reads ``off`` as false.

        Raises:
            SettingError: the value is of another type, or outside what is allowed.
        """
        kind, given = type(self.default), value
        if kind is float and type(value) is int and abs(value) < 1 << 62:
            value = float(value)
        if kind is str and isinstance(value, bool | int | float):
            value = self._word(value)
        fits = type(value) is kind
        if isinstance(value, str):
            fits = fits and value in (self.choices or (value,)) and 0 < len(value) <= LONGEST_WORD
            fits = fits and not _UNPRINTABLE.search(value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            fits = fits and self.low <= value <= self.high
        if not fits:
            raise SettingError(f"{self.name} cannot be {_shown(given)}", f"Use {self.allowed}.{_hint(given)}")
        return value  # type: ignore[return-value]  # its type is that of the default now

    def _word(self, value: bool | int | float) -> object:
        """The word that was meant by what YAML made of it."""
        if not isinstance(value, bool):
            return str(value) if isinstance(value, float) or value.bit_length() < 64 else value
        return next((word for word in _YAML_WORDS[value] if word in self.choices), value)

    def descriptor(self) -> ParameterDescriptor:
        """What rclpy and its tools are told of the parameter."""
        number = isinstance(self.default, int | float) and not isinstance(self.default, bool)
        whole = isinstance(self.default, int)
        bounds = {"from_value": self.low, "to_value": self.high}
        return ParameterDescriptor(
            name=self.name,
            description=self.description,
            additional_constraints=f"{self.allowed}; changes {self.change.value}",
            read_only=self.change is Change.START,
            # Lets `max_rate: 15` and `cloud: off` through to check(), where rclpy insists on 15.0 and "off".
            dynamic_typing=True,
            integer_range=[IntegerRange(**{k: int(v) for k, v in bounds.items()})] if number and whole else [],
            floating_point_range=[FloatingPointRange(**bounds)] if number and not whole else [],
        )


@dataclass(frozen=True)
class Parameters:
    """The values of all parameters, checked. Their meaning is in :data:`TABLE`."""

    model: str = models.DEFAULT
    target: str = "host"
    precision: Literal["float32", "int8"] = "float32"
    threads: int = 0
    image_transport: Literal["raw", "compressed"] = "raw"
    max_pixels: int = MAX_PIXELS
    mono16_bits: int = 0
    output_size: Literal["native", "camera"] = Settings.output_size
    depth_encoding: Literal["32FC1", "16UC1"] = Settings.depth_encoding
    cloud: Literal["off", "xyz", "xyzrgb"] = Settings.cloud
    cloud_stride: int = Settings.cloud_stride
    min_depth: float = Settings.min_depth
    max_depth: float = Settings.max_depth
    max_rate: float = 0.0
    stale_after: float = 2.0
    diagnostics_period: float = 1.0
    power_profile: str = "max-n"
    power_file: str = SHIPPED
    manage_board_mode: bool = False
    nvpmodel_command: str = "nvpmodel"
    board_root: str = "/"
    cpu_affinity: str = FROM_PROFILE
    niceness: int = 0
    autostart: bool = True

    @property
    def pipeline(self) -> Settings:
        """The part that the pipeline knows.

        Raises:
            SettingError: min_depth is not below max_depth.
        """
        return Settings(**{field.name: getattr(self, field.name) for field in fields(Settings)})


_DEFAULTS = Parameters()


def _spec(name: str, description: str, change: Change = Change.LIVE, **limits: object) -> Spec:
    return Spec(name, getattr(_DEFAULTS, name), description, change, **limits)  # type: ignore[arg-type]


TABLE: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        _spec("model", "Model bundle: its folder, or its name where it ships with the package.", Change.UNCONFIGURED),
        _spec("target", "Processor that the model is compiled for; host is this machine's.", Change.UNCONFIGURED),
        _spec(
            "precision",
            "int8 is faster where the processor has AVX-512 VNNI, and a little less accurate (docs/int8.md).",
            Change.UNCONFIGURED,
            choices=("float32", "int8"),
        ),
        _spec("threads", "Cores for the network; 0 is all physical ones.", low=0, high=max_threads()),
        _spec(
            "image_transport",
            "raw subscribes to `image`, compressed to `image/compressed` (JPEG or PNG).",
            Change.INACTIVE,
            choices=("raw", "compressed"),
        ),
        _spec(
            "max_pixels",
            "Pixels of the largest image that is read; others are refused before they take memory.",
            low=1024,
            high=1_000_000_000,
        ),
        _spec(
            "mono16_bits",
            "Bits that the camera fills of images of 16 bits, 8 to 16; 0 finds out from their largest value.",
            low=0,
            high=16,
        ),
        _spec(
            "output_size",
            "native: the network's resolution, and the view that it sees. camera: the image's own grid, NaN outside"
            " the view.",
            choices=("native", "camera"),
        ),
        _spec(
            "depth_encoding",
            "32FC1: metres, NaN no answer, -Inf too close, +Inf out of range (REP-117). 16UC1: millimetres, 0 for all"
            " of these.",
            choices=("32FC1", "16UC1"),
        ),
        _spec("cloud", "Fields of depth/points.", choices=("off", "xyz", "xyzrgb")),
        _spec("cloud_stride", "Every n-th pixel of every n-th row becomes a point.", low=1, high=64),
        _spec("min_depth", "What is closer is too close; below max_depth.", low=0.0, high=100.0, unit="m"),
        _spec("max_depth", "What is farther is out of range; above min_depth.", low=0.0, high=100.0, unit="m"),
        _spec(
            "max_rate", "Images a second that are answered at most; 0 is all of them.", low=0.0, high=1000.0, unit="Hz"
        ),
        _spec("stale_after", "Without an image for so long, diagnostics complain.", low=0.1, high=3600.0, unit="s"),
        _spec("diagnostics_period", "Time between two messages on /diagnostics.", low=0.1, high=60.0, unit="s"),
        _spec("power_profile", "Power profile: max-n, max-q, or one of power_file. `fastdepth power` shows them."),
        _spec("power_file", f"File of the robot's own profiles; {SHIPPED} is the package's power.yaml.", Change.START),
        _spec(
            "manage_board_mode",
            "Whether nvpmodel may be asked for the mode of a new profile. Whether it is in force is checked always.",
            Change.START,
        ),
        _spec(
            "nvpmodel_command",
            "Program, and words before -q or -m ID; no shell runs it, and nothing that raises privileges.",
            Change.START,
        ),
        _spec("board_root", "Where the board's sys and etc are.", Change.START),
        _spec(
            "cpu_affinity",
            f"Cores that the node's threads may use, as 0,2-3; {ALL} for every one, {FROM_PROFILE} for the profile's.",
        ),
        _spec(
            "niceness",
            "How much the node's threads leave to others; the lower, the less. A step down needs CAP_SYS_NICE.",
            low=-20,
            high=19,
        ),
        _spec("autostart", "Configure and activate at start, without a lifecycle manager.", Change.START),
    )
}


def validate(values: Mapping[str, object]) -> Parameters:
    """Hold values against the table, each alone and all together.

    Args:
        values: by name; what is missing has its default.

    Raises:
        SettingError: a value is not allowed; the remedy says which are.
    """
    for name in values:
        if name not in TABLE:
            raise SettingError(f"there is no parameter {quoted(name)}", f"Use one of {', '.join(TABLE)}.")
    parameters = Parameters(**{name: TABLE[name].check(value) for name, value in values.items()})  # type: ignore[arg-type]
    _ = parameters.pipeline
    for name, check in MEANINGS.items():
        check(getattr(parameters, name))
    profiles_of(parameters.power_file).find(parameters.power_profile)
    return parameters


@cache
def profiles_of(power_file: str) -> Profiles:
    """The power profiles of a node that was started with this ``power_file``.

    Raises:
        SettingError: there is no such file, or it holds no profiles.
    """
    return load_profiles(None if power_file == SHIPPED else power_file)


def affinity_of(cpu_affinity: str) -> tuple[int, ...] | None:
    """The cores that ``cpu_affinity`` names; None for all, and for those of the profile.

    Raises:
        SettingError: it names none.
    """
    if cpu_affinity in (ALL, FROM_PROFILE):
        return None
    try:
        return parse_list(cpu_affinity)
    except ValueError:
        remedy = f"Use numbers of cores, as 0,2-3, or {ALL}, or {FROM_PROFILE}."
        raise SettingError(f"cpu_affinity cannot be {quoted(cpu_affinity)}", remedy) from None


def command_of(nvpmodel_command: str) -> tuple[str, ...]:
    """The words of ``nvpmodel_command``.

    Raises:
        SettingError: it has none, or would raise privileges, or start a shell.
    """
    try:
        return check_command(shlex.split(nvpmodel_command))
    except ValueError as error:
        cause = f"nvpmodel_command cannot be {quoted(nvpmodel_command)} ({error})"
        raise SettingError(cause, "Quote its words as a shell would.") from None


def check_bits(mono16_bits: int) -> None:
    """Whether a camera can fill so many of 16 bits; 0 has it found out.

    Raises:
        SettingError: it cannot.
    """
    if 0 < mono16_bits < MONO16_LEAST:
        remedy = f"Use {MONO16_LEAST} to 16, or 0 to have it found out."
        raise SettingError(f"mono16_bits cannot be {mono16_bits}", remedy)


MEANINGS: dict[str, Callable[[Any], object]] = {
    "mono16_bits": check_bits,
    "power_file": profiles_of,
    "cpu_affinity": affinity_of,
    "nvpmodel_command": command_of,
}
"""What the values of some parameters mean, and what raises SettingError where they mean nothing."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant; None where none is near."""
    return next(iter(get_close_matches(name[:LONGEST_WORD], list(names), 1, cutoff=0.5)), None)


def _shown(value: object) -> str:
    """A value as YAML writes it, and its kind where that is not what it looks like."""
    if isinstance(value, bool):
        return f"{str(value).lower()} (a boolean)"
    return "empty" if value is None else quoted(value)


def _hint(value: object) -> str:
    return f" Put quotes around words that YAML reads as {str(value).lower()}." if isinstance(value, bool) else ""


def check_change(name: str, state: str) -> None:
    """Whether a parameter may change in a state of the node's lifecycle.

    Args:
        name: of the parameter.
        state: label of the lifecycle state, as ``active``.

    Raises:
        SettingError: it may not; the remedy says how to get there.
    """
    change = TABLE[name].change
    if state not in _STATES.get(change, ()):
        raise SettingError(f"{name} changes {change.value}, and the node is {state}", _WAYS[change].format(name=name))
