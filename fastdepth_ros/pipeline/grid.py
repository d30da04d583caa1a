"""Grid that answers lie in: from the network's cells to depth map, uncertainty and points."""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.arguments import Bind
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cloud import RGB, SIGMA, XYZ, CloudMaker
from fastdepth_ros.filters.depth import DepthPass
from fastdepth_ros.filters.edges import EdgeFinder
from fastdepth_ros.filters.guide import Guide
from fastdepth_ros.lens import turning
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.lens.warp import Rectifier
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline.buffers import Buffers
from fastdepth_ros.pipeline.settings import Settings
from fastdepth_ros.viewing import CELL, Geometry

__all__ = ["Grid"]

_TO_GREY = {
    "rgb": cv2.COLOR_RGB2GRAY,
    "bgr": cv2.COLOR_BGR2GRAY,
    "rgba": cv2.COLOR_RGBA2GRAY,
    "bgra": cv2.COLOR_BGRA2GRAY,
}

NOTHING = 1e-6
"""Metres below which an answer may be the network's 0, "no answer"."""

_MOST_MILLIMETRES = np.iinfo(np.uint16).max


class _Map(NamedTuple):
    """A map of the grid: all of it, and the part that the network saw with its size as OpenCV has it."""

    whole: npt.NDArray[np.float32]
    part: npt.NDArray[np.float32]
    size: tuple[int, int]


class Grid:
    """Grid of the answers under one set of settings and one geometry.

    All that does not change from picture to picture is worked out here, once: after the network has gone through the
    caches, each question that a frame need not ask again is microseconds.

    Args:
        settings: what is wanted.
        geometry: of the pictures.
        picture: one of them.
        camera: its intrinsics, as :meth:`~.pipeline.Pipeline.run` takes them.
        lens: of the picture, as there.
        buffers: that the answers are written into.
        cells: that the network's answer is written into in metres.
        bind: gives compiled functions; None where the engine has none.

    Attributes:
        settings, geometry: those that it was made for.
        intrinsics: of the depth map; None where the picture's own camera is not known.
        lens: of the raw picture whose grid this is; None where it is a pinhole's.
        factor: on the network's metres.
        upright: whether the network sees the picture as it is, so that its cells are the camera's own.
        lacks_colours: whether the picture was reduced, and colours of all its pixels are wanted.
    """

    def __init__(
        self,
        settings: Settings,
        geometry: Geometry,
        picture: Picture,
        camera: Intrinsics | None,
        lens: Lens | None,
        buffers: Buffers,
        cells: npt.NDArray[np.float32],
        bind: Bind | None,
    ) -> None:
        view, native = geometry.view, settings.output_size == "native"
        raw = geometry.warp is not None and not native and settings.output_camera == "raw"
        self.settings, self.geometry = settings, geometry
        self.lens = lens if raw else None
        self.intrinsics = geometry.seen if native else lens.camera if lens and raw else camera
        self.factor = geometry.ratio * settings.depth_scale
        self.upright = geometry.rotation == turning.NONE
        self.lacks_colours = picture.reduction > 1 and settings.every_pixel
        self._camera, self._buffers = camera, buffers
        self._answer, self._bind = cells, bind
        self._warp = geometry.warp
        self._shape = (view.input_height, view.input_width) if native else (picture.height, picture.width)
        self._part = view.part()
        self._cells = (view.input_height // CELL, view.input_width // CELL)
        self._native, self._raw = native, raw
        self._coloured = settings.cloud == "xyzrgb"
        self._guided = settings.edges == "guided"
        # Of all other maps something may lie beyond the view, or gets its depth from the picture's edges.
        self._of_cells_alone = native and not self._guided
        self._in_metres = settings.depth_encoding == "32FC1"
        self._nearest, self._farthest = max(settings.min_depth, NOTHING), settings.max_depth
        self._plain = self._of_cells_alone and self.upright and geometry.hidden is None and settings.edges == "keep"
        self._maps: dict[str, _Map] = {}
        self._passes: dict[str, DepthPass | None] = {}
        self._points: tuple[CloudMaker, npt.NDArray[np.float32]] | None = None
        self._guide: Guide | None = None
        self._finder: EdgeFinder | None = None
        self._rectifier: Rectifier | None = None

    def own(self, name: str, cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Cells of the network in the camera's own grid: themselves where it stands upright, else a buffer."""
        if self.upright:
            return cells
        rotation = self.geometry.rotation
        shape = cells.shape[::-1] if rotation in turning.SIDEWAYS else cells.shape
        out = self._buffers.of(name, shape, np.float32)
        turning.own(cells, rotation, out)
        return out

    def at_once(self, wanted: bool) -> bool | None:
        """Write the depth map from the engine's latest answer, that nothing else joins; and the cells in metres.

        Args:
            wanted: as :meth:`depth` takes it.

        Returns:
            Whether every cell is known to have a depth, and nothing is left for :meth:`depth` to enlarge. False where
            :meth:`limit` has to look; None where nothing was written.
        """
        if not self._plain:
            return None
        name = self._name(wanted)
        try:
            function = self._passes[name]
        except KeyError:
            numbers = {"factor": self.factor, "nearest": self._nearest, "farthest": self._farthest}
            function = DepthPass.find(self._answer, self._known(name).whole, numbers, self._bind)
            self._passes[name] = function
        return None if function is None else function.write()

    def limit(self, cells: npt.NDArray[np.float32], answer: npt.NDArray[np.float32]) -> bool:
        """Give the metres of every cell REP-117's marks; where the network answered 0, there is none.

        Returns:
            Whether every cell is known to have a depth.
        """
        quiet = True
        if cv2.checkRange(cells, quiet, self._nearest, self._farthest)[0]:
            return True  # as in most rooms
        near, far = cells < self.settings.min_depth, cells > self._farthest
        cells[near] = -np.inf
        cells[far] = np.inf
        cells[~(answer > 0)] = np.nan
        return False

    def remove_flying(self, cells: npt.NDArray[np.float32]) -> float:
        """Take out the cells that fly; returns their share."""
        if self._finder is None:
            self._finder = EdgeFinder(self._cells)
        flying = self._finder.flying(cells)
        cells[flying] = np.nan
        return float(np.count_nonzero(flying)) / flying.size

    def doubt(self, metres: npt.NDArray[np.float32], sigmas: npt.NDArray[np.float32]) -> None:
        """Take out what is less sure than ``max_uncertainty``, where that is not 0, and sigmas of no depth."""
        if most := self.settings.max_uncertainty:
            metres[sigmas > most] = np.nan
        if not cv2.checkRange(metres)[0]:
            sigmas[~np.isfinite(metres)] = np.nan

    def colours(self, picture: Picture, shown: npt.NDArray[np.uint8], cloud: bool) -> Picture | None:
        """The picture in this grid; None where neither points nor edges ask for it.

        Args:
            picture: as it came.
            shown: as the network sees it, in the camera's own grid.
            cloud: whether anybody wants the cloud.
        """
        if not (cloud and self._coloured) and not self._guided:
            return None
        if not self.settings.every_pixel:
            return Picture(shown, "rgb")
        warp, camera = self._warp, self._camera
        if warp is None or camera is None or self._raw:
            return picture
        if self._rectifier is None:
            self._rectifier = Rectifier(warp.lens, camera)
        rectified = self._buffers.of("colours", picture.pixels.shape, np.uint8)
        self._rectifier.rectify(picture.pixels, rectified)
        return Picture(rectified, picture.order)

    def depth(
        self, cells: npt.NDArray[np.float32], wanted: bool, colours: Picture | None, *, made: bool = False
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any] | None]:
        """The depth map in metres, and as it is wanted; in "32FC1" they are one buffer.

        Args:
            cells: the answer, with its marks [m].
            wanted: whether anybody wants the map itself.
            colours: the picture in this grid, for its edges.
            made: whether :meth:`at_once` wrote it.
        """
        name = self._name(wanted)
        metres = self._known(name).whole if made else self.enlarged(name, cells)
        if self._guided and colours is not None and not self._raw:
            self._give_edges(cells, metres, colours)
        if not wanted:
            return metres, None
        return metres, metres if self._in_metres else self._millimetres(metres)

    def enlarged(self, name: str, cells: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Cells in the resolution that is wanted, in the buffer of that name."""
        known = self._known(name)
        if self._raw and self._warp is not None:
            self._warp.look_up(cells, known.whole)
        else:
            # Nearest neighbour: a mean of two depths is a point in the air between them.
            cv2.resize(cells, known.size, known.part, 0, 0, cv2.INTER_NEAREST_EXACT)
        return known.whole

    def cloud(
        self,
        metres: npt.NDArray[np.float32],
        colours: Picture | None,
        sigmas: npt.NDArray[np.float32] | None,
        *,
        finite: bool = False,
    ) -> npt.NDArray[np.float32]:
        """Points of a depth map of this grid, whose camera is known.

        Args:
            metres: the depth map.
            colours: of its pixels.
            sigmas: their standard deviations [m].
            finite: whether every cell that it was made from is known to have a depth.
        """
        if self._points is None:
            self._points = self._room_for_points()
        maker, points = self._points
        maker.write(metres, colours if self._coloured else None, points, sigmas, finite=finite and self._of_cells_alone)
        return points

    def _name(self, wanted: bool) -> str:
        """Name of the buffer of a depth map in metres."""
        return "depth" if self._in_metres and wanted else "metres"

    def _known(self, name: str) -> _Map:
        known = self._maps.get(name)
        if known is None:
            known = self._maps[name] = self._map(name)
        return known

    def _map(self, name: str) -> _Map:
        """Room for a map. What the network does not see of it is never written again."""
        whole = self._buffers.of(name, self._shape, np.float32)
        part = whole if self._native or self._raw else whole[self._part]
        if part is not whole:
            whole.fill(np.nan)
        return _Map(whole, part, (part.shape[1], part.shape[0]))

    def _room_for_points(self) -> tuple[CloudMaker, npt.NDArray[np.float32]]:
        assert self.intrinsics is not None
        fields = (*XYZ, *((RGB,) if self._coloured else ()), *((SIGMA,) if self.settings.cloud_sigma else ()))
        slopes = self._warp.slopes() if self._warp is not None and self._raw else None
        maker = CloudMaker(self.intrinsics, self.settings.cloud_stride, fields, slopes)
        return maker, self._buffers.of("cloud", maker.shape, np.float32, fields)

    def _give_edges(self, cells: npt.NDArray[np.float32], metres: npt.NDArray[np.float32], colours: Picture) -> None:
        """Give an enlarged depth map the edges of a picture of its size."""
        pixels, target = colours.pixels, metres
        if not self._native:
            pixels, target = pixels[self._part], metres[self._part]
        grey = pixels
        if colours.order != "grey":
            grey = self._buffers.of("grey", target.shape, np.uint8)
            cv2.cvtColor(pixels, _TO_GREY[colours.order], grey)
        if self._guide is None:
            self._guide = Guide(self._cells)
        self._guide.enlarge(cells, grey, target)

    def _millimetres(self, metres: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
        """Whole millimetres, 0 for what is not finite or more than 65.535 m (REP-118)."""
        scaled = self._buffers.of("scaled metres", metres.shape, np.float32)
        np.multiply(metres, np.float32(1000), out=scaled)
        np.rint(scaled, out=scaled)
        unknown = self._buffers.of("unknown", metres.shape, np.bool_)
        np.less_equal(scaled, _MOST_MILLIMETRES, out=unknown)
        np.logical_not(unknown, out=unknown)
        np.copyto(scaled, 0, where=unknown)
        np.maximum(scaled, 0, out=scaled)
        published = self._buffers.of("depth", metres.shape, np.uint16)
        np.copyto(published, scaled, casting="unsafe")
        return published
