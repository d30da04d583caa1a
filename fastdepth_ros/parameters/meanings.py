"""Meanings of the words and numbers of some parameters, beyond what the table allows."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache, partial
from typing import Any

from fastdepth_ros import cameras
from fastdepth_ros.anchoring.poses import Pose, parse_extrinsics
from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.files.names import check_name
from fastdepth_ros.lens.calibration_file import CalibrationFile, read_calibration
from fastdepth_ros.mask import Mask, parse_mask
from fastdepth_ros.parameters.values import ALL, FROM_PROFILE, NONE, SHIPPED
from fastdepth_ros.power import Profiles, load_profiles
from fastdepth_ros.power.files import parse_list
from fastdepth_ros.power.nvpmodel import parse_command
from fastdepth_ros.runtime.engine import max_threads

MONO16_LEAST = 8
"""Bits of a camera that sends 16."""

NARROWEST = 10.0
"""Angle of a view that still shows a room [degrees]."""

PLACED = ("anchors", "scan", "range", "anchor_depth", "imu")
"""Topics whose sensors are somewhere on the robot."""


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


def mask_of(mask: str, anew: bool = False) -> Mask | None:
    """The mask that ``mask`` says; None where it says none. A file is read once, or ``anew``.

    Raises:
        SettingError: it says none that can be.
    """
    return None if mask == NONE else parse_mask(mask, anew)


def calibration_of(camera_info_url: str, anew: bool = False) -> CalibrationFile | None:
    """The calibration that ``camera_info_url`` names; None where it names none. A file is read once, or ``anew``.

    Raises:
        SettingError: it is not there, or says no calibration.
    """
    return None if camera_info_url == NONE else read_calibration(camera_info_url, anew)


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
    return parse_command(nvpmodel_command)


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

FILES: dict[str, Callable[[Any], object]] = {
    "camera_info_url": partial(calibration_of, anew=True),
    "mask": partial(mask_of, anew=True),
}
"""Read the file that a value names again: it may be another by now. SettingError where it cannot be used."""
