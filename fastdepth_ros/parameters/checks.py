"""Checks of values against the table, at start and at run time, each alone and all together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.parameters.meanings import MEANINGS, profiles_of
from fastdepth_ros.parameters.spec import Change
from fastdepth_ros.parameters.table import TABLE
from fastdepth_ros.parameters.values import Parameters
from fastdepth_ros.settings import LONGEST_WORD

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
