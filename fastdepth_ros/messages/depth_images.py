"""Small depth images to numpy: of a time-of-flight camera, or the valid part of an RGB-D camera's."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics, size_mismatch
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.clouds import Points
from fastdepth_ros.messages.reader import Reader, read
from fastdepth_ros.messages.serialized import SerializedHeader

GRID = 32
"""Rows and columns of a depth image that are taken at most."""

_KINDS = {"16UC1": ("u2", 1e-3), "mono16": ("u2", 1e-3), "32FC1": ("f4", 1.0)}
"""Encoding -> numpy's type, and metres of its unit (REP-118)."""


class Depths(NamedTuple):
    """Depths that a camera measured, every n-th of them.

    Attributes:
        header: stamp and frame.
        width, height: of the image [px].
        columns, rows: of the pixels that were taken: (c,) and (r,).
        metres: (r, c) float64; 0 or not finite is "no answer".
        doubt: what is wrong with the message, although it is used; nothing is found so far.
    """

    header: SerializedHeader
    width: int
    height: int
    columns: npt.NDArray[np.int64]
    rows: npt.NDArray[np.int64]
    metres: npt.NDArray[np.float64]
    doubt: str = ""

    def points(self, camera: Intrinsics) -> Points:
        """Points that are measured, in the camera's optical frame.

        Args:
            camera: of the depth image.

        Raises:
            AnchorError: the camera is of another size, or no lens has its numbers.
        """
        mismatch = size_mismatch(camera, self.width, self.height, "anchor_depth", "its camera_info")
        if mismatch is not None:
            raise AnchorError(mismatch.cause, mismatch.remedy)
        if camera.doubt:  # its points would be aside of where they are
            raise AnchorError(f"camera_info of anchor_depth: {camera.doubt}", "Check what its driver publishes.")
        x = (self.columns - camera.cx) / camera.fx
        y = (self.rows - camera.cy) / camera.fy
        z = self.metres
        xyz = np.stack((z * x, z * y[:, None], z), axis=-1).reshape(-1, 3)
        measured = np.isfinite(xyz[:, 2]) & (xyz[:, 2] > 0)
        spread = (0.5 / camera.fx, 0.5 / camera.fy)
        return Points(self.header, xyz[measured], None, self.width * self.height, spread)


def read_depths(serialized: bytes, grid: int = GRID) -> Depths:
    """Depths of a serialized sensor_msgs/Image of encoding 16UC1 (millimetres) or 32FC1 (metres).

    Args:
        serialized: the message.
        grid: how many rows and columns are taken at most, evenly.

    Raises:
        AnchorError: the message cannot be read, is no depth image, or holds fewer bytes than its size says.
    """
    header, height, width, encoding, is_bigendian, step, data = read("depth image", _image, serialized)
    if encoding not in _KINDS:
        cause = f"anchor_depth is of encoding {encoding!r}"
        raise AnchorError(cause, "Remap it to a depth image: 16UC1 [mm] or 32FC1 [m].")
    kind, unit = _KINDS[encoding]
    size = np.dtype(kind).itemsize
    if width < 1 or height < 1 or step < width * size or len(data) < (height - 1) * step + width * size:
        cause = f"anchor_depth holds {len(data)} bytes, no {width}x{height} {encoding} with a step of {step}"
        raise AnchorError(cause, "Check its driver.")
    whole: npt.NDArray[Any] = np.ndarray((height, width), (">" if is_bigendian else "<") + kind, data, 0, (step, size))
    rows, columns = _places(height, grid), _places(width, grid)
    with np.errstate(invalid="ignore"):  # any number may be in it
        metres = whole[rows[0] :: _step(height, grid), columns[0] :: _step(width, grid)].astype(np.float64) * unit
    return Depths(header, width, height, columns, rows, metres)


def _image(message: Reader) -> tuple[SerializedHeader, int, int, str, int, int, memoryview]:
    header, height, width = message.header(), message.word(), message.word()
    return header, height, width, message.string(), message.byte(), message.word(), message.octets()


def _step(length: int, grid: int) -> int:
    return -(-length // grid)


def _places(length: int, grid: int) -> npt.NDArray[np.int64]:
    """The middle of each stretch of a side."""
    step = _step(length, grid)
    return np.arange((step - 1) // 2, length, step)
