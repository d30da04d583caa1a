"""The one remap from a raw picture to the network's input, and the way of the answers back into the raw picture's grid.

No rectified picture of the camera's size is made on the way. The maps are computed once for a calibration.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import CalibrationError
from fastdepth_ros.lens.lens import Lens, grid

Array = npt.NDArray[np.float64]
Pixels = npt.NDArray[np.uint8]

LARGEST_SIDE = 32_000
"""Side of a picture whose pixels OpenCV's maps can name [px]."""

FAR = -16_384.0
"""A coordinate beyond every picture's edge, for what is seen nowhere."""

REDUCTIONS = (8, 4, 2)
SHARP = 0.95
"""Reductions of a picture, as JPEG are decoded, and the pixels that have to be left for each of the network's, along a
mean side."""

STRIDE = 4
"""Every how many-th raw pixel's ray is found."""

STRIP = 1 << 18
"""Pixels of a raw or rectified picture whose rays are computed at a time: those of 12 megapixels take a gigabyte."""

_NO_FRACTIONS = np.empty(0, np.uint16)

USUAL = 10
"""Percentile of raw pixels for each of the network's that the reduction goes by."""


def check_sides(camera: Intrinsics) -> None:
    """Hold the sides of a raw camera's pictures against :data:`LARGEST_SIDE`.

    Raises:
        CalibrationError: one is longer.
    """
    if max(camera.width, camera.height) > LARGEST_SIDE:
        cause = f"a picture of {camera.width}x{camera.height} pixels is too large to be rectified here"
        raise CalibrationError(cause, "Lower the camera's resolution, or rectify it elsewhere (image_proc).")


class Warp:
    """Maps between a raw picture, the network's input and its cells.

    Args:
        lens: the raw camera.
        seen: the pinhole camera of the network's input.
        reduction: how many times the picture was reduced already, see :class:`~fastdepth_ros.picture.Picture`.
        cell: side of an answer of the network in pixels of its input.

    Raises:
        CalibrationError: the picture is too large for the maps.

    Attributes:
        wanted: how many times a picture may be reduced that the network sees through this lens.
        hidden: cells (rows, columns) that see something outside the picture, or that the lens cannot see.
    """

    def __init__(self, lens: Lens, seen: Intrinsics, reduction: int = 1, cell: int = 2) -> None:
        check_sides(lens.camera)
        self.lens = lens
        self._seen = seen
        self._cell = cell
        rays = _rays(seen)
        pixels = lens.pixels(rays)
        self.wanted = _reduction(pixels)
        total = max(self.wanted, reduction)
        self._halvings = (total // reduction).bit_length() - 1
        self._map = _fixed((pixels + 0.5) / total - 0.5)
        self.hidden = _any(~lens.inside(pixels), cell)
        self._halved: list[Pixels] = []

    def see(self, pixels: Pixels, out: Pixels) -> None:
        """Write the network's view of a raw picture.

        Args:
            pixels: (rows, columns, channels), or (rows, columns), reduced as the maps were made for.
            out: the same kind of pixels, of the size of the network's input.
        """
        for number in range(self._halvings):
            pixels = self._half(pixels, number)
        # What lies beyond the edge looks like the edge: a black border would be seen as a thing.
        cv2.remap(pixels, *self._map, cv2.INTER_LINEAR, out, cv2.BORDER_REPLICATE)

    def _half(self, pixels: Pixels, number: int) -> Pixels:
        """Means of 2 x 2 pixels: a remap alone takes four of them, and leaves out what lies between.

        OpenCV halves twice in a quarter of the time in which it quarters.
        """
        rows, columns = pixels.shape[0] // 2, pixels.shape[1] // 2
        shape = (rows, columns, *pixels.shape[2:])
        if len(self._halved) <= number or self._halved[number].shape != shape:
            self._halved[number:] = [np.empty(shape, np.uint8)]
        cv2.resize(pixels[: 2 * rows, : 2 * columns], (columns, rows), self._halved[number], 0, 0, cv2.INTER_AREA)
        return self._halved[number]

    def cells_of(self, hides: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
        """Cells (rows, columns) that show any pixel of a part of the raw picture.

        Args:
            hides: (height, width), the part.
        """
        seen, cell = self._seen, self._cell
        pixels = self.lens.pixels(_rays(seen))
        # A cell may be smaller than a raw pixel, or larger: so both look the other up.
        shown = cv2.remap(hides.astype(np.uint8), _whole(pixels), _NO_FRACTIONS, cv2.INTER_NEAREST, None, 0)
        cells = _any(np.asarray(shown, np.bool_), cell)
        places = self._places[hides]
        columns, rows = places[places[:, 0] > FAR].T
        cells[rows, columns] = True
        return cells

    # In the raw picture's own grid

    def look_up(self, cells: npt.NDArray[np.float32], out: npt.NDArray[np.float32]) -> None:
        """Write the answer that each raw pixel looks up.

        Args:
            cells: numbers of the cells, in the rectified frame [m].
            out: (height, width) of the raw picture: that of the cell that its ray meets, in the raw camera's frame [m];
                NaN where it meets none.
        """
        cv2.remap(cells, self._places, _NO_FRACTIONS, cv2.INTER_NEAREST, out, cv2.BORDER_CONSTANT, (math.nan,) * 4)
        if self._shortened is not None:
            np.multiply(out, self._shortened, out=out)

    def slopes(self) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Slopes x/z and y/z (height, width) of the rays of raw pixels, in the raw camera's frame."""
        camera = self.lens.camera
        across, down = (np.empty((camera.height, camera.width), np.float32) for _ in range(2))
        for rows, rays in self._raw_rays():
            across[rows], down[rows] = rays[..., 0], rays[..., 1]
        return across, down

    def _raw_rays(self) -> Iterator[tuple[slice, npt.NDArray[np.float32]]]:
        """Rays (rows, width, 2) of every pixel, found for a few and straight between them: 0.01 px from the true.

        Yields:
            Rows of a strip, and their rays.
        """
        camera = self.lens.camera
        some = [np.arange(0, side + STRIDE, STRIDE) for side in (camera.width, camera.height)]
        known = self.lens.raw_rays(grid(*some)).astype(np.float32)
        for rows in _strips(camera):
            places = grid(np.arange(camera.width), np.arange(rows.start, rows.stop)).astype(np.float32) / STRIDE
            yield rows, np.asarray(cv2.remap(known, places, None, cv2.INTER_LINEAR), np.float32)

    @cached_property
    def _places(self) -> npt.NDArray[np.int16]:
        """The cell of each raw pixel."""
        seen, cell, camera = self._seen, self._cell, self.lens.camera
        limits = np.array((seen.width // cell, seen.height // cell))
        found = np.empty((camera.height, camera.width, 2), np.int16)
        for rows, rays in self._raw_rays():
            places = self.lens.rectified(rays.astype(np.float64)) * (seen.fx, seen.fy) + (seen.cx, seen.cy)
            places = np.floor((places + 0.5) / cell)
            with np.errstate(invalid="ignore"):
                met = ((places >= 0) & (places < limits)).all(-1)
            places[~met] = FAR
            found[rows] = places
        return found

    @cached_property
    def _shortened(self) -> npt.NDArray[np.float32] | None:
        if not self.lens.turned:
            return None
        found = np.empty((self.lens.camera.height, self.lens.camera.width), np.float32)
        for rows, rays in self._raw_rays():
            found[rows] = self.lens.foreshortening(rays.astype(np.float64))
        return found


class Rectifier:
    """Colours of a rectified picture, for clouds that want one for each of its pixels.

    Args:
        lens: the raw camera.
        camera: the pinhole camera of the rectified picture.
    """

    def __init__(self, lens: Lens, camera: Intrinsics) -> None:
        shape = (camera.height, camera.width)
        self._map = np.empty((*shape, 2), np.int16), np.empty(shape, np.uint16)
        for rows in _strips(camera):
            self._map[0][rows], self._map[1][rows] = _fixed(lens.pixels(_rays(camera, rows)))

    def rectify(self, pixels: Pixels, out: Pixels) -> None:
        """Write the rectified picture of a raw one."""
        cv2.remap(pixels, *self._map, cv2.INTER_LINEAR, out, cv2.BORDER_REPLICATE)


def _strips(camera: Intrinsics) -> Iterator[slice]:
    """Rows of a camera's picture, so many at a time that they have :data:`STRIP` pixels or are one."""
    count = max(1, STRIP // camera.width)
    for top in range(0, camera.height, count):
        yield slice(top, min(top + count, camera.height))


def _rays(camera: Intrinsics, rows: slice = slice(None)) -> Array:
    right = (np.arange(camera.width) - camera.cx) / camera.fx
    down = (np.arange(camera.height)[rows] - camera.cy) / camera.fy
    return grid(right, down)


def _any(pixels: npt.NDArray[np.bool_], cell: int) -> npt.NDArray[np.bool_]:
    """Cells of which any pixel is true."""
    rows, columns = pixels.shape[0] // cell, pixels.shape[1] // cell
    cells = pixels[: rows * cell, : columns * cell].reshape(rows, cell, columns, cell)
    return np.asarray(cells.any((1, 3)))


def _whole(pixels: Array) -> npt.NDArray[np.int16]:
    """Coordinates of the nearest pixels."""
    known = np.where(np.isfinite(pixels), pixels, FAR).clip(FAR, LARGEST_SIDE)
    return np.ascontiguousarray(np.rint(known).astype(np.int16))


def _fixed(pixels: Array) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Coordinates as OpenCV remaps fastest: whole pixels, and 32nds of one."""
    known = np.where(np.isfinite(pixels), pixels, FAR).clip(FAR, LARGEST_SIDE).astype(np.float32)
    one, other = cv2.convertMaps(known, None, cv2.CV_16SC2)
    return np.asarray(one), np.asarray(other)


def _reduction(pixels: Array) -> int:
    """Largest of :data:`REDUCTIONS` at which the network does not see less of a picture."""
    right, down = np.diff(pixels, axis=1)[:-1], np.diff(pixels, axis=0)[:, :-1]
    areas = np.abs(right[..., 0] * down[..., 1] - right[..., 1] * down[..., 0])
    known = areas[np.isfinite(areas)]
    usual = math.sqrt(np.percentile(known, USUAL)) if known.size else 1.0
    return next((factor for factor in REDUCTIONS if usual / factor >= SHARP), 1)
