"""The service ``~/calibrate_scale``: the factor that brings the network's metres to what somebody knows.

Whoever knows a distance says it by the parameter ``calibration_distance``; else the floor or measured depths say it,
which correct each frame already: then their factor becomes ``depth_scale``, and holds where they are silent.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from fastdepth_ros.anchoring import Report
from fastdepth_ros.errors import SettingError
from fastdepth_ros.parameters import Parameters, pixel_of
from fastdepth_ros.pipeline import DepthFrame
from fastdepth_ros.settings import LIMITS

KEPT, FEWEST = 10, 3
"""Frames that a distance is compared with at most, and at least."""

SPAN = 15.0
"""Time for which a frame counts [s]."""

REACH = 4
"""Pixels to each side of calibration_pixel whose median counts: four native pixels share one answer."""

UNSTEADY = 0.15
"""Spread of a factor over frames, as a share of it, beyond which it is none."""


class FoundScale(NamedTuple):
    """A factor that was found.

    Attributes:
        scale: the new depth_scale.
        before: depth_scale of the frames that it was found by.
        spread: its standard deviation, as a share of it.
        by: who said how far things are.
    """

    scale: float
    before: float
    spread: float
    by: str

    def __str__(self) -> str:
        return f"depth_scale {self.before:g} -> {self.scale:g} (within {self.spread:.1%}), by {self.by}"


class _Said(NamedTuple):
    """A frame's word on the factor.

    Attributes:
        time: of its answer, in the node's clock [s].
        scale: the depth_scale that it had.
        factor: metres that are known, as a multiple of those that the network says; NaN where nothing is said.
        by: who knows them.
    """

    time: float
    scale: float
    factor: float
    by: str


class ScaleFinder:
    """Remembers what is needed of the frames of late. Notes are the answering thread's, questions any thread's.

    Attributes:
        latest: when the last frame was answered, in the node's clock [s].
        anchored: whether measured depths corrected the last frame.
    """

    def __init__(self) -> None:
        self._distances: deque[_Said] = deque(maxlen=KEPT)
        self._measured: deque[_Said] = deque(maxlen=KEPT)
        self.latest = -math.inf
        self.anchored = False

    def hear(self, frame: DepthFrame, parameters: Parameters, now: float) -> None:
        """Take down a frame where it says something of the scale, or is the first that does not any more; see note."""
        if frame.finish_anchoring is not None or self.anchored or parameters.calibration_distance > 0:
            self.note(frame, parameters, now)
        else:
            self.latest = now

    def note(self, frame: DepthFrame, parameters: Parameters, now: float) -> None:
        """Take down a frame.

        Args:
            frame: with its depth map, where somebody reads it.
            parameters: that it was answered with.
            now: the time in the node's clock [s].
        """
        report, scale = frame.anchoring, parameters.depth_scale
        self.latest, self.anchored = now, report is not None and report.age < math.inf
        if report is not None and report.age == 0:
            ratio, by = _ratio(report, parameters)
            self._measured.append(_Said(now, scale, scale * ratio, by))
        if parameters.calibration_distance > 0 and frame.depth is not None:
            metres = _at(frame, parameters.calibration_pixel)
            factor = scale * parameters.calibration_distance / metres
            self._distances.append(_Said(now, scale, factor, _distance_in_words(parameters)))

    def find(self, parameters: Parameters, now: float) -> FoundScale:
        """Find the factor.

        Raises:
            SettingError: nobody says how far anything is, or not surely enough; the remedy says what to do.
        """
        if not 0 <= now - self.latest < SPAN:
            remedy = "Have images come, and somebody read depth/image_rect, as `fastdepth calibrate` does."
            raise SettingError(f"no image was answered in the last {SPAN:g} s", remedy)
        typed = parameters.calibration_distance > 0
        if typed and self.anchored:
            cause = "measured depths correct the answer, so calibration_distance cannot be compared with it"
            raise SettingError(cause, "Set anchoring to off meanwhile, or calibration_distance to 0.")
        by = _distance_in_words(parameters)
        said = [each for each in self._distances.copy() if each.by == by] if typed else list(self._measured.copy())
        said = [each for each in said if 0 <= now - each.time < SPAN]
        factors = np.array([each.factor for each in said])
        factors = factors[np.isfinite(factors)]
        if len(factors) < FEWEST:
            raise _too_few(by if typed else "", len(factors))
        factor, spread = float(np.median(factors)), float(np.log(factors).std())
        if spread > UNSTEADY:
            cause = f"the factor differs by {spread:.0%} from frame to frame"
            raise SettingError(cause, "Hold the camera still, and look at something large.")
        limits = LIMITS["depth_scale"]
        if not limits.low <= factor <= limits.high:
            cause = f"depth_scale would be {factor:.3g}, by {said[-1].by}"
            raise SettingError(cause, "Check the distance, which is in metres, and the camera's calibration.")
        return FoundScale(round(factor, 4), said[-1].scale, spread, said[-1].by)


def _too_few(distance: str, count: int) -> SettingError:
    if distance:
        cause = f"{count} frames have a depth for {distance}, and {FEWEST} are needed"
        return SettingError(cause, "Look at something within min_depth and max_depth, and ask again.")
    if count:
        return SettingError(f"{count} frames were measured, and {FEWEST} are needed", "Ask again.")
    remedy = "Set calibration_distance or camera_height, or publish measured depths (docs/scale.md)."
    return SettingError("nobody says how far anything is", remedy)


def _ratio(report: Report, parameters: Parameters) -> tuple[float, str]:
    """Distance by the sources as a multiple of the answer, and which sources; NaN where none says any."""
    relative = parameters.anchor_scale == "relative"
    sources = [each for each in report.sources if each.used and each.believed and math.isfinite(each.ratio)]
    sources = [each for each in sources if not (relative and each.source == "anchors")]
    total = sum(each.used for each in sources)
    if not total:
        return math.nan, ""
    mean = sum(each.used * math.log(each.ratio) for each in sources) / total
    return math.exp(mean), ", ".join(each.source for each in sources)


def _at(frame: DepthFrame, calibration_pixel: str) -> float:
    """Median depth about the pixel [m]; NaN where there is none."""
    depth = frame.depth
    assert depth is not None
    rows, columns = depth.shape
    x, y = pixel_of(calibration_pixel) or (columns // 2, rows // 2)
    part = depth[max(0, y - REACH) : y + REACH + 1, max(0, x - REACH) : x + REACH + 1]
    metres = part * (1e-3 if depth.dtype == np.uint16 else 1.0)
    known = metres[np.isfinite(metres) & (metres > 0)]
    return float(np.median(known)) if 2 * known.size > part.size else math.nan


def _distance_in_words(parameters: Parameters) -> str:
    pixel = parameters.calibration_pixel
    where = "the middle" if pixel_of(pixel) is None else f"pixel {pixel}"
    return f"{parameters.calibration_distance:g} m at {where}"
