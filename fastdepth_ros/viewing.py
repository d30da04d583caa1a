"""The way of a picture into the network: what is seen of it, through which lens, which way up, and what is hidden."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics, View, size_mismatch
from fastdepth_ros.lens import turning
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.lens.warp import REDUCTIONS, SHARP, Warp
from fastdepth_ros.mask import Mask
from fastdepth_ros.picture import Picture
from fastdepth_ros.runtime.bundle import Manifest

CELL = 2
"""The network answers in cells of 2x2 input pixels: its last layer comes after the last upsampling."""

LEAST_SHARE = 1e-4
"""Share of a cell from which it is masked."""

_TO_RGB = {"bgr": cv2.COLOR_BGR2RGB, "rgba": cv2.COLOR_RGBA2RGB, "bgra": cv2.COLOR_BGRA2RGB, "grey": cv2.COLOR_GRAY2RGB}


class Geometry(NamedTuple):
    """Geometry that does not change from picture to picture.

    Attributes:
        view: that the network has of the picture, in the picture's own grid.
        seen: the camera of that view; None where the picture's is not known.
        ratio: how much farther things are than the network believes.
        warp: between the raw picture and the network; None where the picture is a pinhole's.
        hidden: cells of the own grid that have no depth, as nothing of the room is there; None where there are none.
        rotation: by which the network sees the view turned; see :mod:`fastdepth_ros.lens.turning`.
    """

    view: View
    seen: Intrinsics | None
    ratio: np.float32
    warp: Warp | None = None
    hidden: npt.NDArray[np.bool_] | None = None
    rotation: str = turning.NONE


class _Way(NamedTuple):
    """Way of the pixels of one geometry into the input, which does not change from picture to picture either.

    Attributes:
        geometry: of the pictures.
        part: of them that is seen, where no lens has to be undone: rows and columns.
        size: of the input in the picture's own grid, (width, height).
        scaled: that part in that size, in the channels that it came in.
        code: OpenCV's conversion of them to RGB; None where they are.
        own: the same in RGB; the network's input itself, where that is upright.
    """

    geometry: Geometry
    part: tuple[slice, slice]
    size: tuple[int, int]
    scaled: npt.NDArray[np.uint8]
    code: int | None
    own: npt.NDArray[np.uint8]


class Viewing:
    """Shows pictures to a network.

    Args:
        manifest: of its bundle: the view, and the focal length of its training.
        shown: its input, RGB (height, width, 3), to be written into.

    Attributes:
        mask: part of the pictures that has no depth; may be replaced between frames. None is no part.
        hidden: share of the latest view that has no depth because of that, or lies beyond the picture.
    """

    def __init__(self, manifest: Manifest, shown: npt.NDArray[np.uint8]) -> None:
        self.mask: Mask | None = None
        self.hidden = 0.0
        self._manifest = manifest
        self._input = shown
        self._reduction: tuple[tuple[int, int, str], int] | None = None
        self._known: tuple[object, Geometry] | None = None
        self._way: _Way | None = None
        self._most_reduced = REDUCTIONS[0]

    def reduction(self, width: int, height: int, rotation: str) -> int:
        """Factor by which a ``width`` x ``height`` picture may be smaller, and still shows as much: 1, 2, 4 or 8."""
        known, key = self._reduction, (width, height, rotation)
        if known is None or known[0] != key:
            known = self._reduction = (key, min(self._find_reduction(width, height, rotation), self._most_reduced))
        return known[1]

    def geometry(self, picture: Picture, camera: Intrinsics | None, lens: Lens | None, rotation: str) -> Geometry:
        """Geometry of a picture: the same object for as long as pictures are of one kind and camera.

        Raises:
            ImageError, CalibrationError, SettingError: as :meth:`fastdepth_ros.pipeline.Pipeline.run`.
        """
        pixels, *rest = picture
        key = (pixels.shape, pixels.dtype, *rest, camera, lens, rotation, self.mask)
        known = self._known
        if known is None or known[0] != key:
            known = self._known = (key, self._find_geometry(picture, camera, lens, rotation))
        return known[1]

    def prepare(self, picture: Picture, geometry: Geometry) -> npt.NDArray[np.uint8]:
        """Cut, scale and reorder into the network's input; colours change after the scaling, on fewer pixels.

        Returns:
            What it sees in the picture's own grid, RGB: the input itself, where that is upright.
        """
        way = self._way
        if way is None or way.geometry is not geometry:
            way = self._way = self._find_way(picture, geometry)
        if geometry.warp is not None:
            geometry.warp.see(picture.pixels, way.scaled)
        else:
            cv2.resize(picture.pixels[way.part], way.size, way.scaled, 0, 0, cv2.INTER_LINEAR)
        if way.code is not None:
            cv2.cvtColor(way.scaled, way.code, way.own)
        if way.own is not self._input:
            turning.upright(way.own, geometry.rotation, self._input)
        return way.own

    def _find_way(self, picture: Picture, geometry: Geometry) -> _Way:
        view, plain = geometry.view, picture.order == "rgb"
        size = (view.input_width, view.input_height)
        own = self._input if geometry.rotation == turning.NONE else np.empty((*size[::-1], 3), np.uint8)
        scaled = own if plain else np.empty((*size[::-1], *picture.pixels.shape[2:]), np.uint8)
        part = view.part(picture.reduction)
        return _Way(geometry, part, size, scaled, None if plain else _TO_RGB[picture.order], own)

    def _view(self, width: int, height: int, reduction: int, rotation: str) -> View:
        """The view in the picture's own grid."""
        if rotation in turning.SIDEWAYS:
            return self._manifest.view_of(height, width, reduction).transposed()
        return self._manifest.view_of(width, height, reduction)

    def _find_reduction(self, width: int, height: int, rotation: str) -> int:
        for factor in REDUCTIONS:
            view = self._view(width, height, factor, rotation)
            left = min(view.width / view.input_width, view.height / view.input_height) / factor
            if left >= SHARP:
                return factor
        return 1

    def _find_geometry(self, picture: Picture, camera: Intrinsics | None, lens: Lens | None, rotation: str) -> Geometry:
        picture.check()
        for each in (camera, lens.camera if lens is not None else None):
            mismatch = size_mismatch(each, picture.width, picture.height) if each is not None else None
            if mismatch is not None:
                raise mismatch
        view = self._view(picture.width, picture.height, picture.reduction, rotation)
        seen = view.intrinsics(camera) if camera is not None else None
        warp = Warp(lens, seen, picture.reduction, CELL) if lens is not None and seen is not None else None
        hidden = self._find_hidden(picture, view, warp)
        self.hidden = float(hidden.mean())
        self._most_reduced, self._reduction = warp.wanted if warp is not None else REDUCTIONS[0], None
        ratio = np.float32(self._focal_ratio(seen))
        return Geometry(view, seen, ratio, warp, hidden if hidden.any() else None, rotation)

    def _find_hidden(self, picture: Picture, view: View, warp: Warp | None) -> npt.NDArray[np.bool_]:
        """Cells that show nothing of the picture, or anything of what is masked."""
        shape = (view.input_height // CELL, view.input_width // CELL)
        hidden = warp.hidden if warp is not None else np.zeros(shape, np.bool_)
        if self.mask is None:
            return hidden
        masked = self.mask.of(picture.width, picture.height)
        if warp is not None:
            return np.asarray(hidden | warp.cells_of(masked))
        cut = masked[view.y : view.y + view.height, view.x : view.x + view.width]
        # The mean of all that lies in a cell: more than nothing where any of it is masked.
        shares = cv2.resize(cut.astype(np.float32), shape[::-1], interpolation=cv2.INTER_AREA)
        return np.asarray(shares > LEAST_SHARE)

    def _focal_ratio(self, seen: Intrinsics | None) -> float:
        """Ratio of true distances to those that the network believes.

        It knows sizes in pixels only: through a lens k times as long as in training, a thing looks k times as near.
        """
        trained = self._manifest.training_focal
        if seen is None or seen.doubt or trained is None:
            return 1.0
        return math.sqrt(seen.fx * seen.fy / (trained[0] * trained[1]))
