"""Pictures of random rooms as files: NAME.jpg, NAME.depth.png (uint16 millimetres, 0 = unknown), NAME.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import SettingError
from fastdepth_ros.files.writing import write_file
from fastdepth_ros.scene.rooms.cameras import random_camera
from fastdepth_ros.scene.rooms.cast import Floats
from fastdepth_ros.scene.rooms.kinds import ROOMS, Kind
from fastdepth_ros.scene.rooms.layout import Room, build_room
from fastdepth_ros.scene.rooms.photo import develop, random_photo, rolled
from fastdepth_ros.scene.rooms.render import render

LICENSE = "Apache-2.0"
CAMERAS = 6
"""Pictures of a room."""

QUALITY = 92

Progress = Callable[[int, int], None]


def write_rooms(folder: Path, count: int, seed: int, kind: Kind = ROOMS, progress: Progress | None = None) -> int:
    """Write ``count`` pictures into a folder; those that are there already are kept.

    Picture i is the same for a seed and kind, whatever ``count`` is.

    Args:
        folder: made where it is missing.
        count: how many pictures in all.
        seed: which ones.
        kind: of rooms.
        progress: called with how many are done, and of how many.

    Returns:
        Number of pictures that were written now.

    Raises:
        SettingError: the folder cannot be written.
    """
    written = 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for first in range(0, count, CAMERAS):
            numbers = range(first, min(first + CAMERAS, count))
            missing = [number for number in numbers if not (folder / f"{name_of(number, kind)}.jpg").exists()]
            if missing:
                room = make_room(seed, first // CAMERAS, kind)
                for number in missing:
                    _write(folder, number, seed, room, kind)
                    written += 1
            if progress:
                progress(numbers[-1] + 1, count)
    except OSError as error:
        raise SettingError(f"{folder} cannot be written: {error.strerror}", "Name another folder.") from error
    return written


def name_of(number: int, kind: Kind = ROOMS) -> str:
    """The name of a picture: its kind, its room and its camera."""
    return f"{kind.name}-{number // CAMERAS:05d}-{number % CAMERAS}"


def make_room(seed: int, index: int, kind: Kind = ROOMS) -> Room:
    """Room ``index`` of a seed."""
    return build_room(np.random.default_rng([seed, index]), kind)


def photograph(
    room: Room, seed: int, number: int, kind: Kind = ROOMS
) -> tuple[npt.NDArray[np.uint8], Floats, Intrinsics]:
    """Picture ``number`` (h, w, 3) RGB of a seed, its depth (h, w) [m] with 0 where it is unknown, and its camera."""
    rng = np.random.default_rng([seed, number // CAMERAS, 1 + number % CAMERAS])
    camera, pose = random_camera(rng, room, kind)
    photo = random_photo(rng, kind)
    light, depth = rolled(*render(room.scene, camera, pose), photo.readout)
    return develop(light, camera, photo), depth, camera


def _write(folder: Path, number: int, seed: int, room: Room, kind: Kind) -> None:
    picture, depth, camera = photograph(room, seed, number, kind)
    name = name_of(number, kind)
    about: dict[str, Any] = {
        "source": f"fastdepth rooms --kind {kind.name} --seed {seed}, picture {number}",
        "set": kind.set_name,
        "license": LICENSE,
        "permissive": True,
        "rendered": True,
        "depth": True,
        "width": camera.width,
        "height": camera.height,
        "intrinsics": {"fx": camera.fx, "fy": camera.fy, "cx": camera.cx, "cy": camera.cy},
    }
    millimetres = np.rint(depth * 1000).clip(0, 65535).astype(np.uint16)
    write_file(folder / f"{name}.json", json.dumps(about, indent=1) + "\n")
    write_file(folder / f"{name}.depth.png", cv2.imencode(".png", millimetres)[1].tobytes())
    # The picture comes last: where it is there, all of its sample is.
    jpeg = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
    write_file(folder / f"{name}.jpg", jpeg.tobytes())
