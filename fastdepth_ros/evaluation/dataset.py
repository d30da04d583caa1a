"""Pictures with known depth, and without: tar shards, folders of image + depth, MIT's preprocessed NYU HDF5 files.

A source lists its samples at once; pictures are decoded when they are asked for, so that a pool of thousands stays
small in memory. In shards and folders a sample is ``NAME.jpg`` (or ``.png``), optionally ``NAME.depth.png`` (uint16
millimetres, 0 = invalid) and optionally ``NAME.json`` with ``set``, ``source`` and ``intrinsics`` (fx, fy, cx, cy
in pixels). A ``camera.json`` with fx, fy, cx, cy holds for every picture of its folder that has no JSON of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.codec.decoder import decode_file
from fastdepth_ros.errors import ImageError, SettingError
from fastdepth_ros.messages.files import read_file, rgb_of

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png")
DEPTH_SUFFIX = ".depth.png"
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
    with tarfile.open(path) as archive:
        members = {member.name: (member.offset_data, member.size) for member in archive if member.isfile()}

    def read(name: str) -> bytes:
        offset, size = members[name]
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(size)

    return _named_samples(path, set(members), read)


def _folder_samples(path: Path) -> list[Sample]:
    names = {file.relative_to(path).as_posix() for file in path.rglob("*") if file.is_file()}
    return _named_samples(path, names, lambda name: (path / name).read_bytes())


def _named_samples(path: Path, names: set[str], read: Callable[[str], bytes]) -> list[Sample]:
    samples = []
    for name in names:
        stem, dot, suffix = name.rpartition(".")
        if name.endswith(DEPTH_SUFFIX) or f"{dot}{suffix}".lower() not in IMAGE_SUFFIXES:
            continue
        folder = name.rpartition("/")[0]
        notes = [f"{stem}.json", f"{folder}/{CAMERA}".lstrip("/")]
        about: dict[str, Any] = next((json.loads(read(note)) for note in notes if note in names), {})
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
                _Reader(read, name, depth, camera),
            )
        )
    return samples


@dataclass(frozen=True)
class _Reader:
    read: Callable[[str], bytes]
    image: str
    depth: str | None
    camera: dict[str, float] | None

    def __call__(self) -> Frame:
        pixels = _pixels(self.read(self.image), self.image)
        depth = None
        if self.depth is not None:
            millimetres = _millimetres(self.read(self.depth), self.depth)
            depth = millimetres.astype(np.float32) / np.float32(1000)
        camera = None
        if self.camera is not None:
            height, width = pixels.shape[:2]
            camera = Intrinsics(width, height, *(float(self.camera[key]) for key in ("fx", "fy", "cx", "cy")))
        return Frame(pixels, depth, camera)


def _pixels(data: bytes, name: str) -> npt.NDArray[np.uint8]:
    try:
        return rgb_of(read_file(data, name))
    except ImageError as error:
        raise SettingError(error.cause, "Take it out of the data.") from error


def _millimetres(data: bytes, name: str) -> npt.NDArray[Any]:
    try:
        return decode_file(data, name, cv2.IMREAD_UNCHANGED)
    except ImageError as error:
        raise SettingError(error.cause, "Take it out of the data.") from error


def _hdf5_sample(path: Path) -> Sample:
    return Sample(path.as_posix(), path.parent.name, path.as_posix(), True, lambda: _read_hdf5(path))


def _read_hdf5(path: Path) -> Frame:
    """MIT's preprocessed NYU: ``rgb`` (3, 480, 640) uint8 and ``depth`` (480, 640) float32 metres."""
    import h5py

    with h5py.File(path, "r") as file:
        pixels = np.asarray(file["rgb"], np.uint8).transpose(1, 2, 0)
        depth = np.asarray(file["depth"], np.float32)
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
