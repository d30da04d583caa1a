"""The way of one frame, without ROS: a picture and its camera in, metric depth and points out, each stage timed.

    prepare   cut the view out of the picture, scale it to the network's input, bring the channels to RGB
    look      ask whether the picture is worth it; where somebody wants to know
    infer     run the network
    anchor    correct the answer with measured depths, and say how sure it is; where there are any, or somebody asks
    depth     limits, and the resolution that is wanted
    cloud     one point a pixel

Buffers are made when a size changes and written again with every frame: what :meth:`Pipeline.run` returns is valid
until it is called again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchoring, Anchors, Report
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.camera import Intrinsics, View, size_mismatch
from fastdepth_ros.cloud import RGB, SIGMA, XYZ, CloudMaker
from fastdepth_ros.errors import ImageError, SettingError
from fastdepth_ros.picture import Picture
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.settings import LIMITS, Cloud, DepthEncoding, OutputSize

__all__ = ["Cells", "DepthEngine", "DepthFrame", "Pipeline", "Settings"]

Allocate = Callable[[str, tuple[int, ...], npt.DTypeLike, tuple[str, ...]], npt.NDArray[Any]]
"""Makes the C-contiguous buffer of an output: (one of :data:`OUTPUTS`, shape, dtype, fields of a point) -> array."""

Look = Callable[[npt.NDArray[np.uint8]], bool]
"""Looks at the network's input, RGB (height, width, 3), and says whether it shall be answered."""

Sight = Callable[[npt.NDArray[np.float32], Intrinsics], Sequence[Anchors]]
"""Finds anchors in an answer, which says where the floor is and what is hidden: (metres of the cells, the camera of the
network's input) -> anchors."""

OUTPUTS = ("depth", "uncertainty", "cloud")
"""Buffers whose bytes others may own: names of :meth:`Pipeline.run`'s arguments and :class:`DepthFrame`'s fields."""

CELL = 2
"""The network answers in cells of 2x2 input pixels: its last layer comes after the last upsampling."""

REDUCTIONS = (8, 4, 2)
"""As JPEG decoders reduce a picture, for less than decoding all of it costs."""

NOTHING = 1e-6
"""Metres below which an answer may be the network's 0, "no answer"."""

SHARP = 0.95
"""Pixels that a reduced picture has to keep for each of the network's, along each side."""

_TO_RGB = {"bgr": cv2.COLOR_BGR2RGB, "rgba": cv2.COLOR_RGBA2RGB, "bgra": cv2.COLOR_BGRA2RGB, "grey": cv2.COLOR_GRAY2RGB}


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


Kept = TypeVar("Kept")


class Latest(Generic[Kept]):
    """Keeps what was made last, and makes it anew when what it depends on changes.

    No ``lru_cache`` around a method: that would be a circle, which keeps all buffers until somebody collects garbage.
    """

    def __init__(self) -> None:
        self._known: tuple[object, Kept] | None = None

    def of(self, key: object, make: Callable[[], Kept]) -> Kept:
        """The thing of this key: kept from the last time, or else made by ``make``."""
        if self._known is None or self._known[0] != key:
            self._known = (key, make())
        return self._known[1]


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
    """

    depth: npt.NDArray[Any] | None
    intrinsics: Intrinsics | None
    cloud: npt.NDArray[np.float32] | None
    stages: dict[str, float]
    uncertainty: npt.NDArray[np.float32] | None = None
    anchoring: Report | None = None
    cells: Cells | None = None
    refused: bool = False


class Geometry(NamedTuple):
    """Geometry that does not change from picture to picture.

    Attributes:
        view: that the network has of the picture.
        seen: the camera of that view; None where the picture's is not known.
        ratio: how much farther things are than the network believes.
    """

    view: View
    seen: Intrinsics | None
    ratio: np.float32


class Pipeline:
    """Turns pictures into depth with one engine.

    Args:
        engine: the network, compiled.
        manifest: of the bundle that the engine was compiled from: the view, and the focal length of its training.
        settings: what is wanted; may be replaced between frames.
        allocate: makes the buffers of depth and cloud, so that a message can own their bytes.

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
        self._engine = engine
        self._manifest = manifest
        self._allocate = allocate
        self._input_height, self._input_width = engine.input.shape[:2]
        cells = (self._input_height // CELL, self._input_width // CELL)
        self._metres = np.empty(cells, np.float32)
        self._buffers: dict[str, Latest[npt.NDArray[Any]]] = {}
        self._reduction = Latest[int]()
        self._known = Latest[Geometry]()
        self._maker = Latest[CloudMaker]()
        self._prior = Prior.from_json(manifest.anchoring, f"the manifest of {manifest.name}")
        self._anchoring: Anchoring | None = None

    def reduction(self, width: int, height: int) -> int:
        """Factor by which a ``width`` x ``height`` picture may be decoded smaller, and still shows the network as much.

        Returns:
            1, 2, 4 or 8; 1 where the cloud wants every pixel's colour.
        """
        if self._wants_every_pixel:
            return 1
        return self._reduction.of((width, height), lambda: self._find_reduction(width, height))

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
        look: Look | None = None,
    ) -> DepthFrame:
        """Depth of one picture.

        Args:
            picture: as the camera sent it, or reduced as :meth:`reduction` allows.
            camera: its intrinsics, of the same size; without them there is no cloud, and depth is not corrected for the
                focal length, nor is it where they are doubted.
            depth: whether anybody wants the depth map.
            cloud: whether anybody wants the cloud. Nothing is computed for what nobody wants.
            anchors: measured depths of this frame, in pixels of the network's input, or who finds them in the answer;
                without any, what earlier ones said of the place still counts. None is "off": it is dropped.
            now: the frame's time, in whatever clock the others have [s].
            uncertainty: whether anybody wants to know how sure depth is.
            cells: whether anybody wants the answer in the network's own resolution.
            look: sees the network's input before the network does, and may refuse it.

        Raises:
            ImageError: the picture's shape does not fit its order, or it is reduced and the cloud wants every pixel.
            CalibrationError: the intrinsics are of another size.
        """
        view, seen, ratio = self._geometry(picture, camera)
        cloud = cloud and camera is not None and self.settings.cloud != "off"
        if cloud and picture.reduction > 1 and self._wants_every_pixel:
            raise ImageError("a reduced picture lacks the colours of some points", "Decode all of its pixels.")
        output = seen if self.settings.output_size == "native" else camera
        if not (depth or cloud or uncertainty or cells):
            return DepthFrame(None, output, None, {})

        stages: dict[str, float] = {}
        started = time.perf_counter()
        self._prepare(picture, view)
        started = _lap(stages, "prepare", started)

        if look is not None:
            if not look(self._engine.input):
                return DepthFrame(None, output, None, stages, refused=True)
            started = _lap(stages, "look", started)

        answer = self._engine.run()
        started = _lap(stages, "infer", started)

        np.multiply(answer, ratio, out=self._metres)
        sigmas, report = None, None
        wanted = uncertainty or self.settings.max_uncertainty > 0 or (cloud and self.settings.cloud_sigma)
        if anchors or wanted or (self._anchoring is not None and self._anchoring.remembers):
            if callable(anchors):
                anchors = anchors(self._metres, seen) if seen is not None else ()
            sigmas, report = self._anchor(anchors, now, wanted)
            started = _lap(stages, "anchor", started)

        self._limit(answer)
        if sigmas is not None:
            self._doubt(sigmas)
        metres = published = None
        if depth or cloud:
            metres, published = self._depth(picture, view, depth)
        sure = None if sigmas is None else self._enlarged("uncertainty", sigmas, picture, view)
        started = _lap(stages, "depth", started)

        points = None
        if cloud and output is not None and metres is not None:
            points = self._cloud(metres, output, picture, sure)
            _lap(stages, "cloud", started)
        answered = Cells(self._metres, view, seen) if cells else None
        return DepthFrame(published, output, points, stages, sure if uncertainty else None, report, answered)

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

    def _doubt(self, sigmas: npt.NDArray[np.float32]) -> None:
        """Take out what is less sure than it may be, and the sigma of what has no depth."""
        if self.settings.max_uncertainty:
            self._metres[sigmas > self.settings.max_uncertainty] = np.nan
        if not cv2.checkRange(self._metres)[0]:
            sigmas[~np.isfinite(self._metres)] = np.nan

    @property
    def _wants_every_pixel(self) -> bool:
        """Whether the cloud takes its colours from the picture; else from what the network sees."""
        return self.settings.output_size == "camera" and self.settings.cloud == "xyzrgb"

    def _find_reduction(self, width: int, height: int) -> int:
        for factor in REDUCTIONS:
            view = self._manifest.view_of(width, height, factor)
            left = min(view.width / self._input_width, view.height / self._input_height) / factor
            if left >= SHARP:
                return factor
        return 1

    def _geometry(self, picture: Picture, camera: Intrinsics | None) -> Geometry:
        """Geometry of a picture: the same object for as long as pictures are of one kind and camera."""
        pixels, *rest = picture
        return self._known.of((pixels.shape, pixels.dtype, *rest, camera), lambda: self._find_geometry(picture, camera))

    def _find_geometry(self, picture: Picture, camera: Intrinsics | None) -> Geometry:
        picture.check()
        if camera is not None:
            mismatch = size_mismatch(camera, picture.width, picture.height)
            if mismatch is not None:
                raise mismatch
        view = self._manifest.view_of(picture.width, picture.height, picture.reduction)
        seen = view.intrinsics(camera) if camera is not None else None
        return Geometry(view, seen, np.float32(self._focal_ratio(seen)))

    def _prepare(self, picture: Picture, view: View) -> None:
        """Cut, scale and reorder into the engine's own tensor; colours change after the scaling, on fewer pixels."""
        size = (self._input_width, self._input_height)
        cut = view.cut(picture.pixels, picture.reduction)
        if picture.order == "rgb":
            cv2.resize(cut, size, self._engine.input, 0, 0, cv2.INTER_LINEAR)
        else:
            scaled = self._buffer("scaled", (*size[::-1], *picture.pixels.shape[2:]), np.uint8)
            cv2.resize(cut, size, scaled, 0, 0, cv2.INTER_LINEAR)
            cv2.cvtColor(scaled, _TO_RGB[picture.order], self._engine.input)

    def _focal_ratio(self, seen: Intrinsics | None) -> float:
        """Ratio of true distances to those that the network believes.

        It knows sizes in pixels only: through a lens k times as long as in training, a thing looks k times as near.
        """
        trained = self._manifest.training_focal
        if seen is None or seen.doubt or trained is None:
            return 1.0
        return math.sqrt(seen.fx * seen.fy / (trained[0] * trained[1]))

    def _limit(self, answer: npt.NDArray[np.float32]) -> None:
        """Give the metres of every cell REP-117's marks."""
        metres, settings = self._metres, self.settings
        quiet = True
        if cv2.checkRange(metres, quiet, max(settings.min_depth, NOTHING), settings.max_depth)[0]:
            return  # as in most rooms
        near, far = metres < settings.min_depth, metres > settings.max_depth
        metres[near] = -np.inf
        metres[far] = np.inf
        metres[~(answer > 0)] = np.nan

    def _depth(
        self, picture: Picture, view: View, wanted: bool
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[Any] | None]:
        """The depth map in metres, and as it is wanted; in "32FC1" they are one buffer."""
        in_metres = self.settings.depth_encoding == "32FC1"
        name = "depth" if in_metres and wanted else "metres"
        metres = self._enlarged(name, self._metres, picture, view)
        if not wanted:
            return metres, None
        return metres, metres if in_metres else self._millimetres(metres)

    def _enlarged(
        self, name: str, cells: npt.NDArray[np.float32], picture: Picture, view: View
    ) -> npt.NDArray[np.float32]:
        """Cells in the resolution that is wanted, in the buffer of that name."""
        native = self.settings.output_size == "native"
        shape = (self._input_height, self._input_width) if native else (picture.height, picture.width)
        out = self._buffer(name, shape, np.float32)
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
        picture: Picture,
        sigmas: npt.NDArray[np.float32] | None,
    ) -> npt.NDArray[np.float32]:
        stride = self.settings.cloud_stride
        coloured = self.settings.cloud == "xyzrgb"
        fields = (*XYZ, *([RGB] if coloured else ()), *([SIGMA] if self.settings.cloud_sigma else ()))
        maker = self._maker.of((output, stride, fields), lambda: CloudMaker(output, stride, fields))
        colours = None
        if coloured:
            colours = picture if self._wants_every_pixel else Picture(self._engine.input, "rgb")
        points = self._buffer("cloud", maker.shape, np.float32, fields)
        maker.write(metres, colours, points, sigmas)
        return points

    def _buffer(
        self, name: str, shape: tuple[int, ...], dtype: npt.DTypeLike, fields: tuple[str, ...] = ()
    ) -> npt.NDArray[Any]:
        """The buffer of that name, made anew when its shape, type or fields change."""
        kept = self._buffers.get(name)
        if kept is None:
            kept = self._buffers[name] = Latest()
        make = self._allocate if name in OUTPUTS else zeros
        return kept.of((shape, dtype, fields), lambda: make(name, shape, dtype, fields))


def _lap(stages: dict[str, float], name: str, started: float) -> float:
    """Note the time since ``started`` as that of a stage, and return the time now [s]."""
    now = time.perf_counter()
    stages[name] = now - started
    return now
