"""Calibrations from files: those of ROS's camera_calibration (YAML, INI) and of Kalibr (camchain YAML).

Nothing that stands in them is believed before it was looked at: sizes, numbers of numbers, and that they are finite.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from fastdepth_ros.errors import SettingError, quoted
from fastdepth_ros.files.reading import read, user_path
from fastdepth_ros.files.remembered import Remembered
from fastdepth_ros.files.yaml_text import read_yaml

LARGEST_FILE = 64 << 10
"""Bytes of an INI file; one has a few hundred."""

LARGEST_SIDE = 65_535
"""Pixels."""

MOST_NUMBERS = 14
"""Coefficients of the longest model."""

KALIBR = {"radtan": "plumb_bob", "equidistant": "equidistant", "none": "plumb_bob"}
"""Kalibr's name of a distortion -> ROS's; its radtan is k1 k2 p1 p2."""

REMEDY = (
    "Use file:///PATH or package://PACKAGE/PATH of a YAML or INI of camera_calibration, or of Kalibr's camchain YAML"
    " (#cam1 at the end for its second camera)."
)


class CalibrationFile(NamedTuple):
    """A calibration as a file says it, with the meaning of sensor_msgs/CameraInfo's fields.

    Attributes:
        source: where it comes from.
        width, height: of the pictures [px].
        distortion_model, d: of the lens.
        k: camera matrix, 9 numbers row by row.
        r, p: rectification, 9, and projection, 12; zeros where they are not said.
    """

    source: str
    width: int
    height: int
    distortion_model: str
    d: tuple[float, ...]
    k: tuple[float, ...]
    r: tuple[float, ...] = (0.0,) * 9
    p: tuple[float, ...] = (0.0,) * 12


def read_calibration(url: str, anew: bool = False) -> CalibrationFile:
    """The calibration at a URL; a file is read once.

    Args:
        url: ``file:///PATH`` or ``package://PACKAGE/PATH``, or a plain path. ``#cam1`` names one of Kalibr's cameras.
        anew: whether the file is read again.

    Raises:
        SettingError: it is not there, or says no calibration.
    """
    return _known.get(url, anew)


def _read(url: str) -> CalibrationFile:
    where, _, camera = url.partition("#")
    try:
        path = _path(url, where)
        if path.suffix.lower() == ".ini":
            return _of_ini(url, read(path, LARGEST_FILE).decode("utf-8"))
        table = _table(path)
        return _of_yaml(url, table) if "camera_matrix" in table else _of_kalibr(url, table, camera or "cam0")
    except OSError as error:
        raise _cannot(url, str(error.strerror or error)) from error
    except KeyError as error:
        raise _cannot(url, f"it lacks {error.args[0]}") from error
    except (ValueError, TypeError, OverflowError) as error:
        raise _cannot(url, str(error)) from error


_known = Remembered(_read)


def _table(path: Path) -> Mapping[str, Any]:
    try:
        table = read_yaml(path)
    except ValueError as error:
        # What a parser says at length quotes the file, which need not be one that whoever set the parameter may read.
        raise ValueError(str(error) if len(str(error)) < 60 else "it is no plain YAML") from None
    if not isinstance(table, Mapping):
        raise ValueError("it is no table")
    return table


def _path(url: str, where: str) -> Path:
    scheme, colon, rest = where.partition("://")
    if not colon:
        return user_path(where)
    if scheme == "file":
        return user_path(unquote(rest))
    if scheme == "package":
        package, _, inside = unquote(rest).partition("/")
        if not package or package in (".", "..") or not inside:
            raise _cannot(url, "it names no package and path")
        for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
            share = Path(prefix) / "share" / package
            if prefix and share.is_dir():
                return share / inside
        raise _cannot(url, f"there is no package {package} in AMENT_PREFIX_PATH")
    raise _cannot(url, f"{quoted(scheme)} is not known")


def _of_yaml(url: str, table: Mapping[str, Any]) -> CalibrationFile:
    d = _numbers(table["distortion_coefficients"]["data"], None, "distortion_coefficients")
    return _checked(
        CalibrationFile(
            url,
            table["image_width"],
            table["image_height"],
            str(table.get("distortion_model", "plumb_bob")),
            d,
            _numbers(table["camera_matrix"]["data"], 9, "camera_matrix"),
            _optional(table, "rectification_matrix", 9),
            _optional(table, "projection_matrix", 12),
        )
    )


def _of_kalibr(url: str, table: Mapping[str, Any], camera: str) -> CalibrationFile:
    if camera not in table:
        raise ValueError(f"it holds neither camera_matrix nor {quoted(camera)}")
    said = table[camera]
    if said["camera_model"] != "pinhole":
        raise ValueError(f"the camera model {quoted(said['camera_model'])} is not known, pinhole is")
    model = KALIBR.get(str(said["distortion_model"]))
    if model is None:
        raise ValueError(f"the distortion {quoted(said['distortion_model'])} is none of {', '.join(KALIBR)}")
    fx, fy, cx, cy = _numbers(said["intrinsics"], 4, "intrinsics")
    width, height = said["resolution"]
    d = _numbers(said.get("distortion_coeffs", []), None, "distortion_coeffs")
    if model == "plumb_bob":
        d = (*d, *[0.0] * (5 - len(d)))
    return _checked(CalibrationFile(url, width, height, model, d, (fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0)))


def _of_ini(url: str, text: str) -> CalibrationFile:
    """Read the format of Videre, in which names stand on lines before their numbers."""
    found: dict[str, list[float]] = {}
    name = ""
    for line in text.splitlines():
        words = line.split("#")[0].split(";")[0].strip()
        if not words or words.startswith("["):
            continue
        if re.match(r"[-+.\d]", words):
            found.setdefault(name, []).extend(_float(word) for word in words.split())
        else:
            name = words.lower()
    width, height = (found[side][0] for side in ("width", "height"))
    d = tuple(found["distortion"])
    return _checked(
        CalibrationFile(
            url,
            _whole(width),
            _whole(height),
            "rational_polynomial" if len(d) > 5 else "plumb_bob",
            _numbers(d, None, "distortion"),
            _numbers(found["camera matrix"], 9, "camera matrix"),
            _numbers(found.get("rectification", [0.0] * 9), 9, "rectification"),
            _numbers(found.get("projection", [0.0] * 12), 12, "projection"),
        )
    )


def _float(word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise ValueError("among its numbers is something else") from None


def _whole(number: float) -> int:
    if not number.is_integer():
        raise ValueError(f"{number:g} is no number of pixels")
    return int(number)


def _optional(table: Mapping[str, Any], name: str, count: int) -> tuple[float, ...]:
    return _numbers(table[name]["data"], count, name) if name in table else (0.0,) * count


def _numbers(values: object, count: int | None, name: str) -> tuple[float, ...]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        raise ValueError(f"{name} is no list of numbers")
    if len(values) != count if count is not None else len(values) > MOST_NUMBERS:
        raise ValueError(f"{name} holds {len(values)} numbers, not {count or f'up to {MOST_NUMBERS}'}")
    if not all(type(value) in (int, float, str) for value in values):
        raise ValueError(f"{name} holds something that is no number")
    found = tuple(map(float, values))  # YAML takes 1e-5 for a word
    if not all(map(math.isfinite, found)):
        raise ValueError(f"{name} holds NaN or infinity")
    return found


def _checked(found: CalibrationFile) -> CalibrationFile:
    for side in (found.width, found.height):
        if type(side) is not int or not 1 <= side <= LARGEST_SIDE:
            raise ValueError(f"a side of {quoted(side)} pixels is none of a picture")
    return found


def _cannot(url: str, why: str) -> SettingError:
    return SettingError(f"camera_info_url cannot be {quoted(url)}: {why}", REMEDY)
