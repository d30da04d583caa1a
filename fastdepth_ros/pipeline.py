"""The way of one frame, without ROS: a picture and its camera in, metric depth and points out, each stage timed.

    prepare   cut the view out of the picture, scale it to the network's input, bring the channels to RGB; a lens that
              bends straight lines is undone by the same step
    look      ask whether the picture is worth it; where somebody wants to know
    infer     run the network
    steady    join the answer with those of before; where that is wanted
    anchor    correct the answer with measured depths, and say how sure it is; where there are any, or somebody asks
    edges     take out what flies between a thing and what is behind it; where that is wanted
    depth     limits, and the resolution that is wanted
    cloud     one point a pixel

Buffers are made when a size changes and written again with every frame: what :meth:`Pipeline.run` returns is valid
until it is called again.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchoring, Anchors, Report
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.camera import Intrinsics, View
from fastdepth_ros.cloud import RGB, SIGMA, XYZ, CloudMaker
from fastdepth_ros.errors import ImageError, SettingError
from fastdepth_ros.filters.edges import EdgeFinder
from fastdepth_ros.filters.guide import Guide
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.steadiness import Steadiness
from fastdepth_ros.lens import turning
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.lens.warp import Rectifier
from fastdepth_ros.mask import Mask
from fastdepth_ros.picture import Picture
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.settings import LIMITS, Cloud, DepthEncoding, Edges, OutputCamera, OutputSize, Rotation
from fastdepth_ros.viewing import CELL, Geometry, Latest, Viewing

__all__ = ["Cells", "DepthEngine", "DepthFrame", "Pipeline", "Settings"]

Allocate = Callable[[str, tuple[int, ...], npt.DTypeLike, tuple[str, ...]], npt.NDArray[Any]]
"""Makes the C-contiguous buffer of an output: (one of :data:`OUTPUTS`, shape, dtype, fields of a point) -> array."""

Look = Callable[[Halves], bool]
"""Looks at the network's input, RGB, and says whether it shall be answered."""

Sight = Callable[[npt.NDArray[np.float32], Intrinsics], Sequence[Anchors]]
"""Finds anchors in an answer, which says where the floor is and what is hidden: (metres of the cells, the camera of the
network's input) -> anchors."""

OUTPUTS = ("depth", "uncertainty", "cloud")
"""Buffers whose bytes others may own: names of :meth:`Pipeline.run`'s arguments and :class:`DepthFrame`'s fields."""

_TO_GREY = {
    "rgb": cv2.COLOR_RGB2GRAY,
    "bgr": cv2.COLOR_BGR2GRAY,
    "rgba": cv2.COLOR_RGBA2GRAY,
    "bgra": cv2.COLOR_BGRA2GRAY,
}

NOTHING = 1e-6
"""Metres below which an answer may be the network's 0, "no answer"."""


class DepthEngine(Protocol):
    """Engine as the pipeline needs it; :class:`fastdepth_ros.runtime.engine.Engine` is one."""

    @property
    def input(self) -> npt.NDArray[np.uint8]:
        """RGB, (height, width, 3), to be written into."""

    def run(self) -> npt.NDArray[np.float32]:
        """Depth of the input, (height / 2, width / 2) [m]; 0 is "no answer"."""


def zeros(
    name: str,  # noqa: ARG001
    shape: tuple[int, ...],
    dtype: npt.DTypeLike,
    fields: tuple[str, ...] = (),  # noqa: ARG001
) -> npt.NDArray[Any]:
    """The plain :data:`Allocate`."""
    return np.zeros(shape, dtype)


@dataclass(frozen=True)
class Settings:
    """Settings of the pipeline.

    Attributes:
        output_size: ``native`` is the network's resolution; ``camera`` is the picture's own grid, with no depth outside
            the view that the network sees.
        depth_encoding: ``32FC1`` is metres with NaN, +Inf and -Inf; ``16UC1`` is millimetres with 0 for all of them.
        cloud: fields of the points.
        cloud_stride: every n-th pixel of every n-th row becomes a point.
        min_depth, max_depth: answers outside are too close or out of range [m].
        max_uncertainty: depths whose standard deviation is larger are no answers [m]; 0 keeps all of them.
        cloud_sigma: whether points carry the standard deviation of their depth.
        output_camera: whose grid ``camera`` is, where the picture is distorted: ``rectified`` is the pinhole's, ``raw``
            the picture's own, in which each pixel looks up the depth of its ray.
        depth_scale: factor on the network's metres, before anchors correct what is left.
        rotation: angle by which the picture has to be turned clockwise to be upright, as the network sees it then;
            answers are in the picture's own grid all the same [degrees]; ``auto`` is :attr:`Pipeline.turned`.
        steadiness: how much depth is a mean over the last pictures, see :mod:`fastdepth_ros.filters.steadiness`; 0 is
            not at all.
        edges: ``remove`` takes out what flies between a thing and what is behind it; ``guided`` gives depth the edges
            of the picture, but in a distorted picture's own grid; ``keep`` leaves it as it was answered.

    Raises:
        SettingError: a setting is outside what is allowed.
    """

    output_size: OutputSize = "native"
    depth_encoding: DepthEncoding = "32FC1"
    cloud: Cloud = "xyz"
    cloud_stride: int = 1
    min_depth: float = 0.1
    max_depth: float = 10.0
    max_uncertainty: float = 0.0
    cloud_sigma: bool = False
    output_camera: OutputCamera = "rectified"
    rotation: Rotation = "0"
    depth_scale: float = 1.0
    steadiness: float = 0.0
    edges: Edges = "keep"

    def __post_init__(self) -> None:
        for field in fields(self):
            LIMITS[field.name].check(field.name, getattr(self, field.name))
        if not self.min_depth < self.max_depth:
            cause = f"min_depth is {self.min_depth:g} m and max_depth is {self.max_depth:g} m"
            raise SettingError(cause, "Use 0 <= min_depth < max_depth.")


class Cells(NamedTuple):
    """The answer in the network's own resolution.

    Attributes:
        metres: (rows, columns) float32 [m], with REP-117's marks.
        view: part of the picture that they are of.
        seen: the camera of the network's input; None where the picture's is not known.
    """

    metres: npt.NDArray[np.float32]
    view: View
    seen: Intrinsics | None


class DepthFrame(NamedTuple):
    """The answer to one picture.

    Attributes:
        depth: (height, width), float32 [m] or uint16 [mm] as the settings say; None where it was not wanted.
            By REP-117 NaN is "no answer", -Inf too close and +Inf out of range.
        intrinsics: the camera of that depth map; None where the picture's own camera is not known.
        cloud: (rows, columns, 3 to 5) float32, see :class:`~fastdepth_ros.cloud.CloudMaker`; None where it was not
            wanted or the camera is not known.
        stages: stage -> its duration [s], for the stages that ran.
        uncertainty: (height, width) float32, standard deviation of depth [m], NaN where depth is not finite; None where
            it was not wanted.
        anchoring: how anchors corrected the answer; None where none came, none are remembered and nobody asks how sure
            it is.
        cells: the answer in the network's own resolution; None where it was not wanted.
        refused: whether whoever looked at the picture did not want it answered.
        lens: of the raw picture whose grid the depth map has; None where the grid is a pinhole's.
    """

    depth: npt.NDArray[Any] | None
    intrinsics: Intrinsics | None
    cloud: npt.NDArray[np.float32] | None
    stages: dict[str, float]
    uncertainty: npt.NDArray[np.float32] | None = None
    anchoring: Report | None = None
    cells: Cells | None = None
    refused: bool = False
    lens: Lens | None = None


class Pipeline:
    """Turns pictures into depth with one engine.

    Args:
        engine: the network, compiled.
        manifest: of the bundle that the engine was compiled from: the view, and the focal length of its training.
        settings: what is wanted; may be replaced between frames.
        allocate: makes the buffers of depth and cloud, so that a message can own their bytes.

    Attributes:
        turned: the rotation that holds where the settings' is ``auto``.
        removed: share of the latest answer that was taken out because it flew.

    Raises:
        BundleError: the manifest's numbers for anchoring are none.

    Example:
        >>> from fastdepth_ros.models import find_bundle
        >>> from fastdepth_ros.runtime.cache import module_for
        >>> from fastdepth_ros.runtime.engines import open_engine
        >>> bundle = find_bundle()
        >>> pipeline = Pipeline(open_engine(module_for(bundle)), bundle.manifest, Settings(output_size="camera"))
        >>> camera = Intrinsics(640, 480, fx=525.0, fy=525.0, cx=319.5, cy=239.5)
        >>> picture = Picture(np.zeros((480, 640, 3), np.uint8), "rgb")
        >>> frame = pipeline.run(picture, camera)
        >>> frame.depth.shape, frame.cloud.shape, frame.intrinsics == camera
        ((480, 640), (480, 640, 3), True)
        >>> sorted(frame.stages)
        ['cloud', 'depth', 'infer', 'prepare']
    """

    def __init__(
        self, engine: DepthEngine, manifest: Manifest, settings: Settings | None = None, allocate: Allocate = zeros
    ) -> None:
        self.settings = settings or Settings()
        self.turned: str = turning.NONE
        self.removed = 0.0
        self._engine = engine
        self._allocate = allocate
        self._viewing = Viewing(manifest, engine.input)
        self._halves = Halves(engine.input)
        rows, columns = engine.input.shape[:2]
        self._metres: npt.NDArray[np.float32] = np.empty((rows // CELL, columns // CELL), np.float32)
        self._cells = self._metres
        self._buffers: dict[str, Latest[npt.NDArray[Any]]] = {}
        self._rectifier = Latest[Rectifier]()
        self._maker = Latest[CloudMaker]()
        self._finder, self._guide = Latest[EdgeFinder](), Latest[Guide]()
        self._prior = Prior.from_json(manifest.anchoring, f"the manifest of {manifest.name}")
        self._anchoring: Anchoring | None = None
        self._scaled = self.settings.depth_scale
        self._steadiness: tuple[Geometry, Steadiness] | None = None

    @property
    def mask(self) -> Mask | None:
        """Part of the pictures that has no depth, in their own coordinates; may be replaced between frames."""
        return self._viewing.mask

    @mask.setter
    def mask(self, mask: Mask | None) -> None:
        self._viewing.mask = mask

    @property
    def hidden(self) -> float:
        """Share of the latest answer that has no depth because it is masked, or lies beyond the picture."""
        return self._viewing.hidden

    @property
    def goes_on(self) -> float:
        """Share of the latest answer that is joined with those of before; 0 where none is."""
        known = self._steadiness  # another thread may ask
        return known[1].goes_on if known is not None else 0.0

    @property
    def _rotation(self) -> str:
        rotation = self.settings.rotation
        return self.turned if rotation == turning.AUTO else rotation

    def reduction(self, width: int, height: int) -> int:
        """Factor by which a ``width`` x ``height`` picture may be decoded smaller, and still shows the network as much.

        Returns:
            1, 2, 4 or 8; 1 where the cloud wants every pixel's colour.
        """
        return 1 if self._wants_every_pixel else self._viewing.reduction(width, height, self._rotation)

    def run(
        self,
        picture: Picture,
        camera: Intrinsics | None = None,
        *,
        depth: bool = True,
        cloud: bool = True,
        anchors: Sequence[Anchors] | Sight | None = (),
        now: float = 0.0,
        uncertainty: bool = False,
        cells: bool = False,
        lens: Lens | None = None,
        look: Look | None = None,
    ) -> DepthFrame:
        """Depth of one picture.

        Args:
            picture: as the camera sent it, or reduced as :meth:`reduction` allows.
            camera: its intrinsics, of the same size; without them there is no cloud, and depth is not corrected for the
                focal length, nor is it where they are doubted.
            depth: whether anybody wants the depth map.
            cloud: whether anybody wants the cloud. Nothing is computed for what nobody wants.
            anchors: measured depths of this frame, in pixels of the view (the network's input, where that is not
                turned), or who finds them in the answer; without any, what earlier ones said of the place still counts.
                None is "off": it is dropped.
            now: the frame's time, in whatever clock the others have [s].
            uncertainty: whether anybody wants to know how sure depth is.
            cells: whether anybody wants the answer in the network's own resolution.
            lens: the camera that the picture was taken with, where it bends straight lines; ``camera`` is then the
                pinhole that is to see the same, and the network sees its picture.
            look: sees the network's input before the network does, and may refuse it.

        Raises:
            ImageError: the picture's shape does not fit its order, or it is reduced and the cloud wants every pixel.
            CalibrationError: the intrinsics are of another size, or the picture is too large to be rectified.
            SettingError: the mask is of another size.
        """
        geometry = self._viewing.geometry(picture, camera, lens, self._rotation)
        seen, in_raw = geometry.seen, self._answers_raw(geometry)
        cloud = cloud and camera is not None and self.settings.cloud != "off"
        if picture.reduction > 1 and self._wants_every_pixel and (cloud or (depth and self.settings.edges == "guided")):
            raise ImageError("a reduced picture lacks the colours of some points", "Decode all of its pixels.")
        output = seen if self.settings.output_size == "native" else lens.camera if lens and in_raw else camera
        if not (depth or cloud or uncertainty or cells):
            return DepthFrame(None, output, None, {})

        stages: dict[str, float] = {}
        started = time.perf_counter()
        shown = self._viewing.prepare(picture, geometry)
        self._halves.show(self._engine.input)
        started = _lap(stages, "prepare", started)

        if look is not None:
            if not look(self._halves):
                return DepthFrame(None, output, None, stages, refused=True)
            started = _lap(stages, "look", started)

        answer = self._engine.run()
        started = _lap(stages, "infer", started)

        np.multiply(answer, geometry.ratio * self._scale(), out=self._metres)
        if self.settings.steadiness > 0:
            self._steady(geometry, now)
            started = _lap(stages, "steady", started)
        else:
            self._steadiness = None
        sigmas, report = None, None
        wanted = uncertainty or self.settings.max_uncertainty > 0 or (cloud and self.settings.cloud_sigma)
        if anchors or wanted or (self._anchoring is not None and self._anchoring.remembers):
            if callable(anchors):
                anchors = anchors(self._own("found", self._metres, geometry), seen) if seen is not None else ()
            sigmas, report = self._anchor(_upright(anchors, geometry), now, wanted)
            started = _lap(stages, "anchor", started)

        self._cells = self._own("cells", self._metres, geometry)
        if self.settings.edges == "remove":
            self._remove()
            started = _lap(stages, "edges", started)
        self._limit(self._own("answer", answer, geometry))
        if geometry.hidden is not None:
            self._cells[geometry.hidden] = np.nan
        if sigmas is not None:
            sigmas = self._own("sigmas", sigmas, geometry)
            self._doubt(sigmas)
        metres = published = colours = None
        if depth or cloud:
            colours = self._colours(picture, shown, camera, geometry, cloud)
            metres, published = self._depth(picture, geometry, depth, colours)
        sure = None if sigmas is None else self._enlarged("uncertainty", sigmas, picture, geometry)
        started = _lap(stages, "depth", started)

        points = None
        if cloud and output is not None and metres is not None:
            points = self._cloud(metres, output, colours if self.settings.cloud == "xyzrgb" else None, sure, geometry)
            _lap(stages, "cloud", started)
        sure = sure if uncertainty else None
        answered = Cells(self._cells, geometry.view, seen) if cells else None
        lens = lens if in_raw else None
        return DepthFrame(published, output, points, stages, sure, report, answered, lens=lens)

    def _scale(self) -> float:
        """Factor on the network's metres. What anchors and former pictures said before it changed is of another."""
        scale = self.settings.depth_scale
        if scale != self._scaled:
            self._scaled, self._steadiness = scale, None
            if self._anchoring is not None:
                self._anchoring.forget()
        return scale

    def _anchor(
        self, anchors: Sequence[Anchors] | None, now: float, wanted: bool
    ) -> tuple[npt.NDArray[np.float32] | None, Report | None]:
        """Correct the metres in place; returns standard deviations of the cells [m] where they are wanted, and how."""
        anchoring = self._anchoring
        if anchoring is None:
            anchoring = self._anchoring = Anchoring((self._metres.shape[0], self._metres.shape[1]), self._prior)
        if anchors is None:
            anchoring.forget()
        picture = self._engine.input
        done = anchoring.correct(self._metres, anchors or (), now, sigma=wanted, picture=picture)
        np.copyto(self._metres, done.depth)
        return done.sigma, done.report

    def _steady(self, geometry: Geometry, now: float) -> None:
        """Steady the metres in place; another view of the room begins anew."""
        known = self._steadiness
        if known is None or known[0] is not geometry:
            known = self._steadiness = (geometry, Steadiness((self._metres.shape[0], self._metres.shape[1])))
        known[1].steady(self._metres, self._halves, now, self.settings.steadiness)

    def _own(self, name: str, cells: npt.NDArray[np.float32], geometry: Geometry) -> npt.NDArray[np.float32]:
        """Cells of the network in the camera's own grid: themselves where it stands upright, else a buffer."""
        if geometry.rotation == turning.NONE:
            return cells
        shape = cells.shape[::-1] if geometry.rotation in turning.SIDEWAYS else cells.shape
        out = self._buffer(name, shape, np.float32)
        turning.own(cells, geometry.rotation, out)
        return out

    def _doubt(self, sigmas: npt.NDArray[np.float32]) -> None:
        """Take out what is less sure than it may be, and the sigma of what has no depth."""
        if self.settings.max_uncertainty:
            self._cells[sigmas > self.settings.max_uncertainty] = np.nan
        if not cv2.checkRange(self._cells)[0]:
            sigmas[~np.isfinite(self._cells)] = np.nan

    @property
    def _wants_every_pixel(self) -> bool:
        """Whether answers take colours from the picture; else from what the network sees."""
        settings = self.settings
        return settings.output_size == "camera" and (settings.cloud == "xyzrgb" or settings.edges == "guided")

    def _answers_raw(self, geometry: Geometry) -> bool:
        """Whether answers are in the grid of a picture that is distorted."""
        settings = self.settings
        return geometry.warp is not None and settings.output_size == "camera" and settings.output_camera == "raw"

    def _limit(self, answer: npt.NDArray[np.float32]) -> None:
        """Give the metres of every cell REP-117's marks."""
        metres, settings = self._cells, self.settings
        quiet = True
        if cv2.checkRange(metres, quiet, max(settings.min_depth, NOTHING), settings.max_depth)[0]:
            return  # as in most rooms
        near, far = metres < settings.min_depth, metres > settings.max_depth
        metres[near] = -np.inf
        metres[far] = np.inf
        metres[~(answer > 0)] = np.nan

    def _remove(self) -> None:
        """Take out the cells that fly."""
        shape = (self._cells.shape[0], self._cells.shape[1])
        flying = self._finder.of(shape, lambda: EdgeFinder(shape)).flying(self._cells)
        self.removed = float(np.count_nonzero(flying)) / flying.size
        self._cells[flying] = np.nan

    def _depth(
        self, picture: Picture, geometry: Geometry, wanted: bool, colours: Picture | None
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any] | None]:
        """The depth map in metres, and as it is wanted; in "32FC1" they are one buffer."""
        in_metres = self.settings.depth_encoding == "32FC1"
        name = "depth" if in_metres and wanted else "metres"
        metres = self._enlarged(name, self._cells, picture, geometry)
        if self.settings.edges == "guided" and colours is not None and not self._answers_raw(geometry):
            self._guided(metres, colours, geometry.view)
        if not wanted:
            return metres, None
        return metres, metres if in_metres else self._millimetres(metres)

    def _guided(self, metres: npt.NDArray[np.float32], colours: Picture, view: View) -> None:
        """Give an enlarged depth map the edges of a picture of its size."""
        shape = (self._cells.shape[0], self._cells.shape[1])
        pixels, target = colours.pixels, metres
        if self.settings.output_size == "camera":
            part = slice(view.y, view.y + view.height), slice(view.x, view.x + view.width)
            pixels, target = pixels[part], metres[part]
        grey = pixels
        if colours.order != "grey":
            grey = self._buffer("grey", target.shape, np.uint8)
            cv2.cvtColor(pixels, _TO_GREY[colours.order], grey)
        self._guide.of(shape, lambda: Guide(shape)).enlarge(self._cells, grey, target)

    def _enlarged(
        self, name: str, cells: npt.NDArray[np.float32], picture: Picture, geometry: Geometry
    ) -> npt.NDArray[np.float32]:
        """Cells in the resolution that is wanted, in the buffer of that name."""
        native = self.settings.output_size == "native"
        view = geometry.view
        shape = (view.input_height, view.input_width) if native else (picture.height, picture.width)
        out = self._buffer(name, shape, np.float32)
        if geometry.warp is not None and self._answers_raw(geometry):
            geometry.warp.look_up(cells, out)
            return out
        target = out
        if not native:
            # Rows and columns outside the view keep what an earlier view may have left there, so they are cleared.
            out.fill(np.nan)
            target = out[view.y : view.y + view.height, view.x : view.x + view.width]
        # Nearest neighbour: a mean of two depths is a point in the air between them.
        cv2.resize(cells, target.shape[::-1], target, 0, 0, cv2.INTER_NEAREST_EXACT)
        return out

    def _millimetres(self, metres: npt.NDArray[np.float32]) -> npt.NDArray[np.uint16]:
        """Whole millimetres, 0 for what is not finite or more than 65.535 m (REP-118)."""
        scaled = self._buffer("scaled metres", metres.shape, np.float32)
        np.multiply(metres, np.float32(1000), out=scaled)
        np.rint(scaled, out=scaled)
        unknown = self._buffer("unknown", metres.shape, np.bool_)
        np.less_equal(scaled, np.iinfo(np.uint16).max, out=unknown)
        np.logical_not(unknown, out=unknown)
        np.copyto(scaled, 0, where=unknown)
        np.maximum(scaled, 0, out=scaled)
        published = self._buffer("depth", metres.shape, np.uint16)
        np.copyto(published, scaled, casting="unsafe")
        return published

    def _cloud(
        self,
        metres: npt.NDArray[np.float32],
        output: Intrinsics,
        colours: Picture | None,
        sigmas: npt.NDArray[np.float32] | None,
        geometry: Geometry,
    ) -> npt.NDArray[np.float32]:
        stride = self.settings.cloud_stride
        fields = (*XYZ, *([RGB] if colours is not None else ()), *([SIGMA] if self.settings.cloud_sigma else ()))
        warp = geometry.warp if self._answers_raw(geometry) else None
        maker = self._maker.of(
            (output, stride, fields, warp), lambda: CloudMaker(output, stride, fields, warp.slopes() if warp else None)
        )
        points = self._buffer("cloud", maker.shape, np.float32, fields)
        maker.write(metres, colours, points, sigmas)
        return points

    def _colours(
        self,
        picture: Picture,
        shown: npt.NDArray[np.uint8],
        camera: Intrinsics | None,
        geometry: Geometry,
        cloud: bool,
    ) -> Picture | None:
        """The picture in the grid of the depth map; None where neither points nor edges ask for it."""
        if not (cloud and self.settings.cloud == "xyzrgb") and self.settings.edges != "guided":
            return None
        if not self._wants_every_pixel:
            return Picture(shown, "rgb")
        warp = geometry.warp
        if warp is None or camera is None or self._answers_raw(geometry):
            return picture
        rectified = self._buffer("colours", picture.pixels.shape, np.uint8)
        self._rectifier.of((warp, camera), lambda: Rectifier(warp.lens, camera)).rectify(picture.pixels, rectified)
        return Picture(rectified, picture.order)

    def _buffer(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, fields: tuple[str, ...] = ()
    ) -> npt.NDArray[Any]:
        """The buffer of that name, made anew when its shape, type or fields change."""
        kept = self._buffers.get(name)
        if kept is None:
            kept = self._buffers[name] = Latest()
        make = self._allocate if name in OUTPUTS else zeros
        return kept.of((shape, dtype, fields), lambda: make(name, shape, dtype, fields))


def _upright(anchors: Sequence[Anchors] | None, geometry: Geometry) -> Sequence[Anchors] | None:
    """Anchors whose pixels are those of the camera's own grid, where the network sees them."""
    rotation, view = geometry.rotation, geometry.view
    if not anchors or rotation == turning.NONE:
        return anchors
    size = view.input_width, view.input_height
    sideways = rotation in turning.SIDEWAYS
    return [
        each._replace(
            pixels=turning.upright_pixels(each.pixels, *size, rotation), zone=each.zone[::-1] if sideways else each.zone
        )
        for each in anchors
    ]


def _lap(stages: dict[str, float], name: str, started: float) -> float:
    """Note the time since ``started`` as that of a stage, and return the time now [s]."""
    now = time.perf_counter()
    stages[name] = now - started
    return now
