"""The way of one frame; the stages are those of :mod:`fastdepth_ros.pipeline`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchoring, Anchors, Report
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.arguments import Bind
from fastdepth_ros.arguments import allocate as aligned
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import ImageError
from fastdepth_ros.filters.halves import Halves
from fastdepth_ros.filters.steadiness import Steadiness
from fastdepth_ros.lens import turning
from fastdepth_ros.lens.lens import Lens
from fastdepth_ros.mask import Mask
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline.buffers import Buffers, zeros
from fastdepth_ros.pipeline.frame import Ahead, Allocate, Cells, DepthEngine, DepthFrame, Look, Sight
from fastdepth_ros.pipeline.grid import Grid
from fastdepth_ros.pipeline.settings import Settings
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.viewing import CELL, Geometry, Viewing

__all__ = ["Pipeline"]


clock = time.perf_counter


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
        bind: gives the engine's compiled functions beside the network; None where it has none.

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
        self.bind: Bind | None = getattr(engine, "bind", None)
        self._buffers = Buffers(allocate)
        self._grid: Grid | None = None
        self._viewing, self._halves = Viewing(manifest, engine.input), Halves(engine.input, self.bind)
        rows, columns = engine.input.shape[:2]
        self._metres: npt.NDArray[np.float32] = aligned((rows // CELL, columns // CELL), np.float32)
        self._prior = Prior.of(manifest)
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

    def reduction(self, width: int, height: int) -> int:
        """Factor by which a ``width`` x ``height`` picture may be decoded smaller, and still shows the network as much.

        Returns:
            1, 2, 4 or 8; 1 where the cloud wants every pixel's colour.
        """
        rotation = self.turned if self.settings.rotation == turning.AUTO else self.settings.rotation
        return 1 if self.settings.every_pixel else self._viewing.reduction(width, height, rotation)

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
        ahead: Ahead | None = None,
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
            ahead: is given the answer before its points are made, if any are.

        Raises:
            ImageError: the picture's shape does not fit its order, or it is reduced and the cloud wants every pixel.
            CalibrationError: the intrinsics are of another size, or the picture is too large to be rectified.
            SettingError: the mask is of another size.
        """
        settings, grid = self.settings, self._grid
        rotation = self.turned if settings.rotation == turning.AUTO else settings.rotation
        geometry = self._viewing.geometry(picture, camera, lens, rotation)
        if grid is None or grid.geometry is not geometry or grid.settings is not settings:
            grid = self._grid = self._lay(geometry, picture, camera, lens)
        cloud = cloud and camera is not None and settings.cloud != "off"
        if grid.lacks_colours and (cloud or (depth and settings.edges == "guided")):
            raise ImageError("a reduced picture lacks the colours of some points", "Decode all of its pixels.")
        if not (depth or cloud or uncertainty or cells):
            return DepthFrame(None, grid.intrinsics, None, {})

        stages: dict[str, float] = {}
        began = clock()
        shown = self._viewing.prepare(picture, geometry)
        ended = clock()
        stages["prepare"] = ended - began

        if look is not None:
            self._halves.show(self._engine.input)
            if not look(self._halves):
                return DepthFrame(None, grid.intrinsics, None, stages, refused=True)
            began, ended = ended, clock()
            stages["look"] = ended - began

        answer = self._engine.run()
        began, ended = ended, clock()
        stages["infer"] = ended - began

        wanted = uncertainty or settings.max_uncertainty > 0 or (cloud and settings.cloud_sigma)
        joins = anchors or wanted or (self._anchoring is not None and self._anchoring.remembers)
        steady = settings.steadiness > 0
        if not steady:
            self._steadiness = None
        metres, sigmas, finish = self._metres, None, None
        finite = grid.at_once(depth) if (depth or cloud) and not (joins or steady) else None
        if finite is None:
            np.multiply(answer, grid.factor, out=metres)
        if steady:
            if look is None:
                self._halves.show(self._engine.input)
            self._steady(geometry, now)
            began, ended = ended, clock()
            stages["steady"] = ended - began
        if joins:
            if callable(anchors):
                anchors = anchors(grid.own("found", metres), geometry.seen) if geometry.seen is not None else ()
            sigmas, finish = self._anchor(_upright(anchors, geometry), now, wanted)
            began, ended = ended, clock()
            stages["anchor"] = ended - began

        made = finite is True
        if not made:
            if not grid.upright:
                metres, answer = grid.own("cells", metres), grid.own("answer", answer)
            if settings.edges == "remove":
                self.removed = grid.remove_flying(metres)
                began, ended = ended, clock()
                stages["edges"] = ended - began
            finite = grid.limit(metres, answer)
            if geometry.hidden is not None:
                metres[geometry.hidden], finite = np.nan, False
        sure = published = None
        if sigmas is not None:
            sigmas = grid.own("sigmas", sigmas)
            grid.doubt(metres, sigmas)
            finite = finite and not settings.max_uncertainty
            sure = grid.enlarged("uncertainty", sigmas)
        if depth or cloud:
            colours = grid.colours(picture, shown, cloud)
            enlarged, published = grid.depth(metres, depth, colours, made=made)
        began, ended = ended, clock()
        stages["depth"] = ended - began

        answered = Cells(metres, geometry.view, geometry.seen) if cells else None
        said = sure if uncertainty else None
        answers = [published, grid.intrinsics, None, stages, said, finish, answered, False, grid.lens]
        # Its own constructor is a function of Python: five microseconds in the caches behind the network.
        frame: DepthFrame = tuple.__new__(DepthFrame, answers)
        if not cloud or grid.intrinsics is None:
            return frame
        if ahead is not None:
            ahead(frame)
            ended = clock()
        answers[2] = grid.cloud(enlarged, colours, sure, finite=bool(finite))
        stages["cloud"] = clock() - ended
        return tuple.__new__(DepthFrame, answers)

    def _lay(self, geometry: Geometry, picture: Picture, camera: Intrinsics | None, lens: Lens | None) -> Grid:
        """Lay the grid of the answers anew; those before, of another scale, are of no use."""
        scale, before = self.settings.depth_scale, self._scaled
        if scale != before:
            self._scaled, self._steadiness = scale, None
            if self._anchoring is not None:
                self._anchoring.rescale(scale / before)
        return Grid(self.settings, geometry, picture, camera, lens, self._buffers, self._metres, self.bind)

    def _anchor(
        self, anchors: Sequence[Anchors] | None, now: float, wanted: bool
    ) -> tuple[npt.NDArray[np.float32] | None, Callable[[], Report]]:
        """Correct the metres in place; returns standard deviations of the cells [m], where wanted, and who says how."""
        anchoring = self._anchoring
        if anchoring is None:
            shape = self._metres.shape[0], self._metres.shape[1]
            anchoring = self._anchoring = Anchoring(shape, self._prior, self.bind)
        if anchors is None:
            anchoring.forget()
        picture = self._engine.input
        done = anchoring.correct(self._metres, anchors or (), now, sigma=wanted, picture=picture)
        np.copyto(self._metres, done.depth)
        return done.sigma, done.finish if anchoring.is_compiled else partial(self._quicken, anchoring, done.finish)

    def _quicken(self, anchoring: Anchoring, finish: Callable[[], Report]) -> Report:
        """Finish; then ask for the functions that the engine's module lacks, or take them up: that takes 2 ms, once."""
        report, late = finish(), getattr(self._engine, "late", None)
        if late is not None and self.bind is not None:
            anchoring.take_up(self.bind) if late.library is not None else late.ask()
        return report

    def _steady(self, geometry: Geometry, now: float) -> None:
        """Steady the metres in place; another view of the room begins anew."""
        known = self._steadiness
        if known is None or known[0] is not geometry:
            known = self._steadiness = (geometry, Steadiness((self._metres.shape[0], self._metres.shape[1]), self.bind))
        known[1].steady(self._metres, self._halves, now, self.settings.steadiness)


def _upright(anchors: Sequence[Anchors] | None, geometry: Geometry) -> Sequence[Anchors] | None:
    """Anchors whose pixels are those of the camera's own grid, where the network sees them."""
    rotation, view = geometry.rotation, geometry.view
    if not anchors or rotation == turning.NONE:
        return anchors
    size = view.input_width, view.input_height
    sideways = rotation in turning.SIDEWAYS
    return [
        each._replace(
            pixels=turning.upright_pixels(each.pixels, *size, rotation),
            zone=each.zone[::-1] if sideways else each.zone,
            known=None,
        )
        for each in anchors
    ]
