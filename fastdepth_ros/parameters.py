"""The node's parameters: one table, and one function that holds values against it, at start and at run time."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from difflib import get_close_matches
from enum import Enum
from functools import cache, lru_cache, partial
from typing import Any

from fastdepth_ros import cameras, models
from fastdepth_ros.anchoring.poses import Pose, parse_extrinsics
from fastdepth_ros.codec.decoder import MAX_PIXELS
from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.files.names import check_name
from fastdepth_ros.lens.calibration_file import CalibrationFile, read_calibration
from fastdepth_ros.mask import Mask, parse_mask
from fastdepth_ros.pipeline import Settings
from fastdepth_ros.power import Profiles, load_profiles
from fastdepth_ros.power.files import parse_list
from fastdepth_ros.power.nvpmodel import check_command
from fastdepth_ros.runtime.engine import max_threads
from fastdepth_ros.settings import (
    LIMITS,
    LONGEST_WORD,
    AnchoringMode,
    AnchorScale,
    Cloud,
    CompressedDepth,
    DepthEncoding,
    Edges,
    GateMode,
    ImageTransport,
    Limits,
    OutputCamera,
    OutputSize,
    Precision,
    Rectify,
    Rotation,
    Value,
)

MONO16_LEAST = 8
"""Bits of a camera that sends 16."""

NARROWEST = 10.0
"""Angle of a view that still shows a room [degrees]."""

SHIPPED, FROM_PROFILE, ALL = "shipped", "profile", "all"
"""Words that stand for a file of profiles, and for cores."""

NONE = "none"
"""The word for no pose and no frame: rclpy's parameters know no empty value that tools show."""

OF_THE_NODE = frozenset(
    {
        *("cameras", "model", "target", "precision", "threads", "diagnostics_period", "power_profile", "power_file"),
        *("manage_board_mode", "nvpmodel_command", "board_root", "cpu_affinity", "niceness", "autostart"),
    }
)
"""Parameters that several cameras share; of each other one each camera may have a value of its own."""

PLACED = ("anchors", "scan", "range", "anchor_depth", "imu")
"""Topics whose sensors are somewhere on the robot."""


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


@dataclass(frozen=True)
class Parameters:
    """The values of all parameters, checked. Their meaning is in :data:`TABLE`."""

    model: str = models.DEFAULT
    target: str = "host"
    precision: Precision = "auto"
    threads: int = 0
    cameras: str = NONE
    image_transport: ImageTransport = "raw"
    max_pixels: int = MAX_PIXELS
    mono16_bits: int = 0
    camera_info_url: str = NONE
    rectify: Rectify = "auto"
    view_fov: float = 0.0
    rotation: Rotation = Settings.rotation
    mask: str = NONE
    gate: GateMode = "warn"
    output_size: OutputSize = Settings.output_size
    output_camera: OutputCamera = Settings.output_camera
    depth_encoding: DepthEncoding = Settings.depth_encoding
    compressed_depth_format: CompressedDepth = "png"
    cloud: Cloud = Settings.cloud
    cloud_stride: int = Settings.cloud_stride
    min_depth: float = Settings.min_depth
    max_depth: float = Settings.max_depth
    depth_scale: float = Settings.depth_scale
    calibration_distance: float = 0.0
    calibration_pixel: str = NONE
    max_uncertainty: float = Settings.max_uncertainty
    cloud_sigma: bool = Settings.cloud_sigma
    steadiness: float = Settings.steadiness
    edges: Edges = Settings.edges
    anchoring: AnchoringMode = "auto"
    anchor_scale: AnchorScale = "metric"
    anchor_max_age: float = 0.5
    anchor_extrinsics: str = NONE
    camera_height: float = 0.0
    camera_pitch: float = 0.0
    floor_frame: str = NONE
    scan_output_frame: str = NONE
    obstacle_min_height: float = 0.1
    obstacle_max_height: float = 1.0
    obstacle_range_min: float = 0.1
    obstacle_range_max: float = 10.0
    obstacle_leaf: float = 0.0
    obstacle_clearing: float = 0.0
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
        return Settings(**{each.name: getattr(self, each.name) for each in fields(Settings)})


_DEFAULTS = Parameters()


def _spec(name: str, description: str, change: Change = Change.LIVE, **limits: object) -> Spec:
    """A row; what the pipeline knows as well has its limits from :data:`~fastdepth_ros.settings.LIMITS`."""
    if shared := LIMITS.get(name):
        limits = {"choices": shared.choices, "low": shared.low, "high": shared.high, "unit": shared.unit, **limits}
    return Spec(name, getattr(_DEFAULTS, name), description, change, **limits)  # type: ignore[arg-type]


TABLE: dict[str, Spec] = {
    spec.name: spec
    for spec in (
        _spec("model", "Model bundle: its folder, or its name where it ships with the package.", Change.UNCONFIGURED),
        _spec("target", "Processor that the model is compiled for; host is this machine's.", Change.UNCONFIGURED),
        _spec(
            "precision",
            "auto is the fastest that this processor has kernels for and that is known to lose next to nothing"
            " (docs/int8.md).",
            Change.UNCONFIGURED,
        ),
        _spec("threads", "Cores for the network, at most those here; 0 is all physical ones.", low=0, high=1024),
        _spec(
            "cameras",
            "Names of several cameras that this one node answers in turn, as a list or by comma (docs/cameras.md): each"
            " has topics and parameters below its name, as front/image_raw, front/depth/image_rect and front.mask. none"
            " is one camera, on `image`.",
            Change.UNCONFIGURED,
            meant=cameras.meant,
        ),
        _spec(
            "image_transport",
            "raw subscribes to `image`, compressed to `image/compressed` (JPEG or PNG), as does video (H.264 or H.265),"
            " ffmpeg to `image/ffmpeg`, foxglove to `image/foxglove` (packets of these: [video.md](video.md)).",
            Change.INACTIVE,
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
            "camera_info_url",
            "Calibration of the camera instead of the topic camera_info (docs/lens.md#calibration-from-a-file):"
            " file:///PATH or package://PACKAGE/PATH of camera_calibration's YAML or INI, or Kalibr's YAML.",
        ),
        _spec(
            "rectify",
            "auto: the lens is undone where camera_info's D is not zero and neither `rect` nor `rectified` is a word of"
            " the image's topic (docs/lens.md). on: whatever the topic is called. off: pictures are taken as a"
            " pinhole's.",
        ),
        _spec(
            "view_fov",
            "Angle from the left to the right edge of the pinhole's picture, where the lens is undone; 0 is as"
            " camera_info's P says it, or K.",
            low=0.0,
            high=150.0,
            unit="deg",
        ),
        _spec(
            "rotation",
            "Angle by which the image has to be turned clockwise to be upright, in degrees: the network sees it so, and"
            " answers are in the image's own grid and frame (docs/lens.md#a-camera-mounted-turned). auto: as `imu` or"
            " floor_frame says.",
        ),
        _spec(
            "mask",
            "Part of the image that has no depth, as the robot's own body (docs/lens.md#own-body): polygons x y, x y,"
            " x y; ..., or a PNG of the image's size, black there.",
        ),
        _spec(
            "gate",
            "What is done with pictures that are not worth answering, as dark, blurred or frozen ones (docs/gate.md)."
            " warn: say so. drop: do not answer them either. off: nobody looks.",
        ),
        _spec(
            "output_size",
            "native: the network's resolution, and the view that it sees. camera: the image's own grid, NaN outside"
            " the view.",
        ),
        _spec(
            "output_camera",
            "Grid of output_size: camera where the lens is undone: the rectified picture's, or the raw one's, whose"
            " pixels look up the depth of their rays.",
        ),
        _spec(
            "depth_encoding",
            "32FC1: metres, NaN no answer, -Inf too close, +Inf out of range (REP-117). 16UC1: millimetres, 0 for all"
            " of these.",
        ),
        _spec(
            "compressed_depth_format",
            "How depth/image_rect/compressedDepth is packed: png is smaller, rvl costs less time (docs/topics.md).",
        ),
        _spec("cloud", "Fields of depth/points."),
        _spec("cloud_stride", "Every n-th pixel of every n-th row becomes a point."),
        _spec("min_depth", "Smallest depth that is an answer, less than max_depth; below it is too close."),
        _spec("max_depth", "Largest depth that is an answer, more than min_depth; above it is out of range."),
        _spec(
            "depth_scale",
            "Factor on the network's depth, before measured depths correct what is left (docs/scale.md). The service"
            " `~/calibrate_scale` finds it.",
        ),
        _spec(
            "calibration_distance",
            "Depth that somebody measured at calibration_pixel, for `~/calibrate_scale`; 0 is none, and the floor or"
            " measured depths say it.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "calibration_pixel",
            f"Column and row of depth/image_rect, as 112 112, that show calibration_distance; {NONE} is its middle.",
        ),
        _spec(
            "max_uncertainty",
            "Depths whose standard deviation is larger are no answers; 0 keeps all of them.",
        ),
        _spec("cloud_sigma", "Whether the points of depth/points carry their depth's standard deviation as `sigma`."),
        _spec(
            "steadiness",
            "How much depth is a mean over the last pictures, whose things it follows (docs/steady.md): 0.5 takes more"
            " than half of the flicker away, 1 most of it; 0 leaves each answer as it is.",
        ),
        _spec(
            "edges",
            "Points that fly between a thing and what is behind it (docs/edges.md). remove: they have no depth. guided:"
            " depth has the resolution and the edges of the picture. keep: depth is as answered.",
        ),
        _spec(
            "anchoring",
            "auto: depths that somebody measured correct the network's, as soon as any arrive (docs/anchors.md). off:"
            " nothing is subscribed to.",
        ),
        _spec(
            "anchor_scale",
            "metric: points on `anchors` are in metres. relative: up to one factor, as of a monocular SLAM.",
        ),
        _spec(
            "anchor_max_age",
            "Time that the stamp of a measurement may be from the image's.",
            low=0.0,
            high=60.0,
            unit="s",
        ),
        _spec(
            "anchor_extrinsics",
            "Places of sensors in the camera's body frame (x forward, y left, z up), instead of tf: SOURCE=x y z roll"
            " pitch yaw [m, rad], or x y z and a quaternion; parted by semicolons.",
        ),
        _spec(
            "camera_height",
            "Height of the camera above the floor, which becomes a source; 0 is no floor, or floor_frame's.",
            low=0.0,
            high=20.0,
            unit="m",
        ),
        _spec(
            "camera_pitch",
            "Angle that the camera looks below the horizon, where neither floor_frame nor `imu` says it.",
            low=-1.5708,
            high=1.5708,
            unit="rad",
        ),
        _spec("floor_frame", "A frame of tf whose x and y lie in the floor, z up: gives height and tilt."),
        _spec(
            "scan_output_frame",
            "Frame of depth/scan, x to the front: a frame of tf, by default floor_frame; or, with camera_height alone,"
            " the name of a level one at the camera (docs/nav2.md).",
        ),
        _spec(
            "obstacle_min_height",
            "Height above the floor below which nothing is an obstacle of depth/scan and depth/obstacles.",
            low=-10.0,
            high=20.0,
            unit="m",
        ),
        _spec(
            "obstacle_max_height",
            "Height above the floor above which nothing is an obstacle of those.",
            low=-10.0,
            high=20.0,
            unit="m",
        ),
        _spec(
            "obstacle_range_min",
            "Smallest range along the floor of those; nearer, a ray is -Inf.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "obstacle_range_max",
            "Largest range along the floor of those; beyond, a ray is +Inf.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
        _spec(
            "obstacle_leaf",
            "Side of the cubes of which depth/obstacles holds one point each; 0 keeps all points.",
            low=0.0,
            high=1.0,
            unit="m",
        ),
        _spec(
            "obstacle_clearing",
            "Range at which depth/obstacles holds a point where nothing was found, for costmaps to clear; 0 is none.",
            low=0.0,
            high=100.0,
            unit="m",
        ),
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
        _spec("board_root", "Folder of the board's sys and etc.", Change.START),
        _spec(
            "cpu_affinity",
            f"Cores that the node's threads may use, as 0,2-3; {ALL} for every one, {FROM_PROFILE} for the profile's.",
        ),
        _spec(
            "niceness",
            "Niceness of the node's threads: a higher one leaves more to others. Lowering it needs CAP_SYS_NICE.",
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
    check_scan(parameters)
    if parameters.rotation == "auto" and parameters.anchoring == "off":
        remedy = "Set anchoring to auto, by which imu and tf are heard, or rotation to 0, 90, 180 or 270."
        raise SettingError("rotation is auto and anchoring is off", remedy)
    for name, check in MEANINGS.items():
        check(getattr(parameters, name))
    profiles_of(parameters.power_file).find(parameters.power_profile)
    return parameters


def check_scan(parameters: Parameters) -> None:
    """Hold the limits of the scan against each other.

    Raises:
        SettingError: one is not below the other.
    """
    for least, most in (("obstacle_min_height", "obstacle_max_height"), ("obstacle_range_min", "obstacle_range_max")):
        low, high = getattr(parameters, least), getattr(parameters, most)
        if not low < high:
            raise SettingError(f"{least} is {low:g} m and {most} is {high:g} m", f"Use {least} < {most}.")


def check_threads(threads: int) -> None:
    """Hold ``threads`` against this machine.

    Raises:
        SettingError: it has fewer cores.
    """
    if threads > max_threads():
        remedy = f"Use 0 for all physical cores, or a whole number from 1 to {max_threads()}, the cores here."
        raise SettingError(f"threads cannot be {threads}", remedy)


@cache
def profiles_of(power_file: str) -> Profiles:
    """The power profiles of a node that was started with this ``power_file``.

    Raises:
        SettingError: there is no such file, or it holds no profiles.
    """
    return load_profiles(None if power_file == SHIPPED else power_file)


@lru_cache(16)
def extrinsics_of(anchor_extrinsics: str) -> dict[str, Pose]:
    """The poses that ``anchor_extrinsics`` says, in the camera's body frame.

    Raises:
        SettingError: it says none.
    """
    return parse_extrinsics("" if anchor_extrinsics == NONE else anchor_extrinsics, PLACED)


def mask_of(mask: str) -> Mask | None:
    """The mask that ``mask`` says; None where it says none. A file is read once.

    Raises:
        SettingError: it says none that can be.
    """
    return None if mask == NONE else parse_mask(mask)


def calibration_of(camera_info_url: str) -> CalibrationFile | None:
    """The calibration that ``camera_info_url`` names; None where it names none. A file is read once.

    Raises:
        SettingError: it is not there, or says no calibration.
    """
    return None if camera_info_url == NONE else read_calibration(camera_info_url)


def pixel_of(calibration_pixel: str) -> tuple[int, int] | None:
    """The column and row that ``calibration_pixel`` says; None for the middle.

    Raises:
        SettingError: it says none.
    """
    if calibration_pixel == NONE:
        return None
    numbers = calibration_pixel.replace(",", " ").split()
    if len(numbers) != 2 or not all(each.isascii() and each.isdigit() and len(each) < 7 for each in numbers):
        remedy = f"Use its column and row, as 112 112, or {NONE} for the middle."
        raise SettingError(f"calibration_pixel cannot be {quoted(calibration_pixel)}", remedy)
    return int(numbers[0]), int(numbers[1])


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
    """Hold ``mono16_bits`` against what a camera of 16 bits can fill.

    Raises:
        SettingError: it is neither 0 nor at least 8.
    """
    if 0 < mono16_bits < MONO16_LEAST:
        remedy = f"Use {MONO16_LEAST} to 16, or 0 to have it found out."
        raise SettingError(f"mono16_bits cannot be {mono16_bits}", remedy)


def check_fov(view_fov: float) -> None:
    """Hold ``view_fov`` against what a pinhole is to see.

    Raises:
        SettingError: it is neither 0 nor at least :data:`NARROWEST`.
    """
    if 0 < view_fov < NARROWEST:
        remedy = f"Use {NARROWEST:g} to 150 degrees, or 0 for what camera_info says."
        raise SettingError(f"view_fov cannot be {view_fov:g}", remedy)


MEANINGS: dict[str, Callable[[Any], object]] = {
    "cameras": cameras.parse_cameras,
    "target": partial(check_name, "target"),  # it becomes the name of a folder
    "threads": check_threads,
    "mono16_bits": check_bits,
    "camera_info_url": calibration_of,
    "view_fov": check_fov,
    "mask": mask_of,
    "power_file": profiles_of,
    "calibration_pixel": pixel_of,
    "cpu_affinity": affinity_of,
    "nvpmodel_command": command_of,
    "anchor_extrinsics": extrinsics_of,
}
"""Check what some values mean, beyond what the table allows; SettingError where they mean nothing here."""


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The name that was probably meant; None where none is near."""
    return next(iter(get_close_matches(name[:LONGEST_WORD], list(names), 1, cutoff=0.5)), None)


def check_change(name: str, state: str, shown: str = "") -> None:
    """Whether a parameter may change in a state of the node's lifecycle.

    Args:
        name: of the parameter.
        state: label of the lifecycle state, as ``active``.
        shown: its name for the user, where that is another, as ``front.mask``.

    Raises:
        SettingError: it may not; the remedy says how to get there.
    """
    change = TABLE[name].change
    if state not in _STATES.get(change, ()):
        name = shown or name
        raise SettingError(f"{name} changes {change.value}, and the node is {state}", _WAYS[change].format(name=name))
