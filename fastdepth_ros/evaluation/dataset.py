"""Pictures with known depth, and without: tar shards, folders of image + depth, MIT's preprocessed NYU HDF5 files.

A source lists its samples at once; pictures are decoded when they are asked for, so that a pool of thousands stays
small in memory. In shards and folders a sample is ``NAME.jpg`` (or ``.png``), optionally ``NAME.depth.png`` (uint16
millimetres, 0 = invalid) and optionally ``NAME.json`` with ``set``, ``source`` and ``intrinsics`` (fx, fy, cx, cy
in pixels). A ``camera.json`` with fx, fy, cx, cy holds for every picture of its folder that has no JSON of its own.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.codec.decoder import decode_file
from fastdepth_ros.errors import CalibrationError, ImageError, SettingError, brief, quoted
from fastdepth_ros.files.reading import opened, parse_json, read, real
from fastdepth_ros.messages.files import read_file, rgb_of

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
DEPTH_SUFFIX = ".depth.png"
LARGEST_FILE = 2**29
"""Bytes of a picture or of its depth."""

CAMERA = "camera.json"
NYU_CAMERA = Intrinsics(640, 480, 518.85790, 519.46961, 325.58245 - 1, 253.73617 - 1)
"""NYU Depth v2's colour camera (the data set's toolbox, camera_params.m, whose pixels count from 1)."""


@dataclass(frozen=True)
class Frame:
    """A decoded sample.

    Attributes:
        pixels: (h, w, 3) uint8 RGB.
        depth: (h, w) float32 metres with 0 where unknown, or None.
        camera: its intrinsics, or None where they are unknown.
        sigma: (h, w) float32 standard deviation of ``depth`` [m]; None where depth is taken for the truth.
    """

    pixels: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32] | None
    camera: Intrinsics | None
    sigma: npt.NDArray[np.float32] | None = None


@dataclass(frozen=True)
class Sample:
    """One picture that can be decoded: its name, the set it belongs to, where it came from, and how to read it."""

    name: str
    set: str
    origin: str
    has_depth: bool
    read: Callable[[], Frame]


def sha256(path: Path) -> str:
    """The sha256 of a file, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def open_source(path: Path) -> list[Sample]:
    """All samples of a tar shard, of a folder, or of an HDF5 file or folder of them, ordered by name.

    Raises:
        SettingError: there is nothing to read.
    """
    if path.is_file() and path.suffix == ".tar":
        samples = _tar_samples(path)
    elif path.is_file() and path.suffix == ".h5":
        samples = [_hdf5_sample(path)]
    elif path.is_dir():
        samples = _folder_samples(path) + [_hdf5_sample(file) for file in sorted(path.rglob("*.h5"))]
    else:
        raise SettingError(f"{path} holds no pictures", "Name a .tar, a .h5 or a folder.")
    if not samples:
        raise SettingError(f"{path} holds no picture", "Samples are NAME.jpg with NAME.depth.png and NAME.json.")
    return sorted(samples, key=lambda sample: sample.name)


def _tar_samples(path: Path) -> list[Sample]:
    try:
        with tarfile.open(path, "r:") as archive:
            members = {member.name: (member.offset_data, member.size) for member in archive if member.isreg()}
    except (tarfile.TarError, EOFError, ValueError) as error:
        cause = f"{path} cannot be read ({brief(error, 200)})"
        raise SettingError(cause, "Make it again with tar, and do not compress it.") from error

    def load(name: str) -> bytes:
        offset, size = members[name]
        with opened(path, sys.maxsize) as file:
            if size > min(LARGEST_FILE, os.fstat(file.fileno()).st_size - offset):
                raise SettingError(f"{name} in {path} says that it has {size} bytes", "Make the file again.")
            file.seek(offset)
            return file.read(size)

    return _named_samples(path, set(members), load)


def _folder_samples(path: Path) -> list[Sample]:
    names = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    return _named_samples(path, names, lambda name: read(path / name, LARGEST_FILE))


def _named_samples(path: Path, names: set[str], load: Callable[[str], bytes]) -> list[Sample]:
    samples = []
    for name in names:
        stem, dot, suffix = name.rpartition(".")
        if name.endswith(DEPTH_SUFFIX) or f"{dot}{suffix}".lower() not in IMAGE_SUFFIXES:
            continue
        folder = name.rpartition("/")[0]
        notes = [f"{stem}.json", f"{folder}/{CAMERA}".lstrip("/")]
        note = next((note for note in notes if note in names), None)
        about = _table(load(note), note) if note is not None else {}
        camera = about.get("intrinsics")
        if camera is None and about.get("fx"):
            camera = about
        depth = stem + DEPTH_SUFFIX if stem + DEPTH_SUFFIX in names else None
        samples.append(
            Sample(
                stem,
                str(about.get("set", path.stem)),
                str(about.get("source", name)),
                depth is not None,
                _Reader(load, name, depth, camera),
            )
        )
    return samples


@dataclass(frozen=True)
class _Reader:
    load: Callable[[str], bytes]
    image: str
    depth: str | None
    camera: Any

    def __call__(self) -> Frame:
        pixels = _pixels(self.load(self.image), self.image)
        depth = None
        if self.depth is not None:
            millimetres = _millimetres(self.load(self.depth), self.depth)
            depth = millimetres.astype(np.float32) / np.float32(1000)
        camera = None
        if self.camera is not None:
            height, width = pixels.shape[:2]
            camera = _camera(width, height, self.camera, self.image)
        return Frame(pixels, depth, camera)


def _pixels(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    try:
        return rgb_of(read_file(data, name))
    except ImageError as error:
        raise SettingError(error.cause, "Take it out of the data.") from error


def _millimetres(data: bytes, name: str) -> npt.NDArray[Any]:
    try:
        found = decode_file(data, name, cv2.IMREAD_UNCHANGED)
    except ImageError as error:
        raise SettingError(error.cause, "Take it out of the data.") from error
    if found.ndim != 2 or found.dtype != np.uint16:
        raise SettingError(f"{name} is no grey picture of 16 bits", "Depth is NAME.depth.png, in millimetres.")
    return found


def _table(data: bytes, name: str) -> Mapping[str, Any]:
    """A JSON file about pictures.

    Raises:
        SettingError: it is none.
    """
    try:
        found = parse_json(data)
    except ValueError as error:
        raise SettingError(f"{name} cannot be read ({brief(error, 200)})", "Write it again, or take it out.") from error
    if not isinstance(found, Mapping):
        raise SettingError(f"{name} is no table, but {quoted(found)}", "Write it again, or take it out.")
    return found


def _camera(width: int, height: int, said: Any, name: str) -> Intrinsics:
    """The camera of a picture, as its JSON says it.

    Raises:
        SettingError: it says none.
    """
    try:
        return Intrinsics(width, height, *(real(said[key]) for key in ("fx", "fy", "cx", "cy")))
    except (LookupError, TypeError, ValueError, ArithmeticError, CalibrationError) as error:
        cause = f"the camera of {name} cannot be {quoted(said)} ({brief(error, 200)})"
        raise SettingError(cause, "Give fx, fy, cx and cy in pixels.") from error


def _hdf5_sample(path: Path) -> Sample:
    return Sample(path.as_posix(), path.parent.name, path.as_posix(), True, lambda: _read_hdf5(path))


def _read_hdf5(path: Path) -> Frame:
    """MIT's preprocessed NYU: ``rgb`` (3, 480, 640) uint8 and ``depth`` (480, 640) float32 metres."""
    import h5py

    try:
        with h5py.File(path, "r") as file:
            pixels = np.asarray(file["rgb"], np.uint8).transpose(1, 2, 0)
            depth = np.asarray(file["depth"], np.float32)
        if pixels.shape != (*depth.shape, 3):
            raise ValueError(f"rgb is {pixels.shape}, depth {depth.shape}")
    except (OSError, LookupError, ValueError, TypeError, RuntimeError) as error:
        raise SettingError(f"{path} cannot be read ({brief(error, 200)})", "Take it out of the data.") from error
    camera = NYU_CAMERA.scale(pixels.shape[1], pixels.shape[0])
    return Frame(np.ascontiguousarray(pixels), depth, camera)


def last_share(samples: list[Sample], share: float) -> list[Sample]:
    """The last ``share`` of samples, ordered by the last number in the name of each one's origin.

    Neighbouring numbers of a recording show the same scene, so what is held out of it has to be one piece.
    """
    ordered = sorted(samples, key=_number)
    return ordered[len(ordered) - int(len(ordered) * share) :]


def _number(sample: Sample) -> tuple[int, str]:
    numbers = re.findall(r"\d+", sample.origin.rpartition("/")[2])
    return (int(numbers[-1]) if numbers else -1, sample.origin)
