"""Targets from few measured depths: the bundle's own answer, anchored with them, and how sure it is of each pixel.

Points of SLAM lie on texture, and one in ten of them is wrong. Learned from as they are, they teach what they are right
about and what they are wrong about alike, and nothing of the bare floor between them. The correction that the node
would make with them is dense, has sorted out what disagrees, and knows its doubt.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.adapting.place import Sides
from fastdepth_ros.anchoring import Anchoring
from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.anchoring.sightings import Measurement, PointMeasurement
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.training.augment import plain_part, plain_view

Map = npt.NDArray[np.float32]

Answers = Callable[[Sequence[Frame]], Iterator[Map]]
"""The answer to the plain view of each frame, (rows, columns) [m], corrected for the focal length."""

TAUGHT, JUDGED = 0.2, 0.5
"""Share of the variance of the answer alone that anchors explain, at least, where they teach, and where they judge."""

APART = 60.0
"""Time [s] beyond which, or back, a clock does not go within a recording: the next frame shows another place."""


class Seen(NamedTuple):
    """A picture, and what sensors measured of it.

    Attributes:
        frame: without depth.
        time: of the picture [s]; None where those before and after show something else.
        measured: measurements in the camera's optical frame, and the time from each to the picture [s].
    """

    frame: Frame
    time: float | None
    measured: tuple[tuple[Measurement, float], ...]


def camera_of(frame: Frame) -> Intrinsics:
    """The camera of a frame; one that was made up where it is unknown, which tells pixels apart and no more."""
    if frame.camera is not None:
        return frame.camera
    height, width = frame.pixels.shape[:2]
    return Intrinsics(width, height, width, width, (width - 1) / 2, (height - 1) / 2)


def drawn(frame: Frame, points: int, rng: np.random.Generator) -> Seen:
    """A frame with the depth of so many of its pixels, drawn by chance, as measurements.

    Args:
        frame: with depth.
        points: most that are taken.
        rng: of the chance.
    """
    assert frame.depth is not None
    known = np.flatnonzero(frame.depth > 0)
    kept = rng.choice(known, min(points, len(known)), replace=False)
    rows, columns = np.divmod(kept, frame.depth.shape[1])
    camera, depths = camera_of(frame), frame.depth.flat[kept].astype(np.float64)
    rays = np.stack(((columns - camera.cx) / camera.fx, (rows - camera.cy) / camera.fy, np.ones(len(kept))), 1)
    points_of = PointMeasurement("anchors", rays * depths[:, None], np.full(len(kept), np.nan))
    return Seen(Frame(frame.pixels, None, frame.camera), None, ((points_of, 0.0),))


def taught(
    seen: Sequence[Seen], answers: Answers, prior: Prior, sides: Sides, least: float = TAUGHT
) -> tuple[Frame, ...]:
    """The frames with their anchored answers for depth, and sigma; 0 where anchors say little.

    Args:
        seen: in the order of their times.
        answers: of the bundle.
        prior: what it knows of its errors.
        sides: height and width of the network's input [px].
        least: share of the variance of the answer alone that anchors have to explain; less is little.
    """
    shape = sides[0] // 2, sides[1] // 2
    anchoring, alone = Anchoring(shape, prior), Anchoring(shape, prior)
    frames, last = [], None
    for each, answer in zip(seen, answers([one.frame for one in seen]), strict=True):
        if last is None or each.time is None or not 0 <= each.time - last < APART:
            anchoring.forget()
        last = each.time
        camera = _seen_camera(each.frame, sides)
        anchors = [measurement.sight(answer, camera, lag).anchors for measurement, lag in each.measured]
        now, picture = each.time or 0.0, plain_view(each.frame, *sides).pixels
        before = alone.correct(answer, (), now, sigma=True).sigma
        done = anchoring.correct(answer, anchors, now, sigma=True, picture=picture)
        assert before is not None
        assert done.sigma is not None
        with np.errstate(invalid="ignore", divide="ignore"):
            left = np.square(done.sigma / done.depth * answer / before)
        spoke = any(source.used for source in done.report.sources)  # else it is what an earlier frame was told
        known = (left < 1 - least) & spoke  # false for NaN, too
        frames.append(_with(each.frame, np.where(known, done.depth, 0.0), np.where(known, done.sigma, 0.0)))
    return tuple(frames)


class Told(NamedTuple):
    """Knowledge in the targets that the answers alone lack.

    Attributes:
        share: of the pixels that are taught.
        within: share of those whose target lies within its own sigma of the answer. About two thirds would where the
            answer is right: then nothing that was measured is surer than it. NaN where none is taught.
    """

    share: float
    within: float


def told(frames: Sequence[Frame], answers: Answers, sides: Sides) -> Told:
    """Compare targets with the answers alone.

    Args:
        frames: as :func:`taught` gives them.
        answers: of the same bundle.
        sides: height and width of the network's input [px].
    """
    pixels = known = within = 0
    for frame, answer in zip(frames, answers(frames), strict=True):
        view = plain_view(frame, *sides)
        assert view.depth is not None
        assert view.sigma is not None
        pixels += view.depth.size
        known += np.count_nonzero(view.depth)
        within += np.count_nonzero(np.abs(view.depth - answer)[view.depth > 0] < view.sigma[view.depth > 0])
    return Told(known / pixels, within / known if known else float("nan"))


def between(frames: Sequence[Frame], others: Sequence[Frame]) -> tuple[Frame, ...]:
    """The frames with the geometric mean of two targets, where both are known: judges that favour neither.

    What anchors decide, both targets say. Elsewhere each is near its own answer, and the mean is as far from both.

    Args:
        frames: taught by one bundle's answers.
        others: the same, taught by another's.
    """
    pairs = zip(frames, others, strict=True)
    return tuple(replace(one, depth=np.sqrt(_depth(one) * _depth(other)), sigma=None) for one, other in pairs)


def _depth(frame: Frame) -> Map:
    assert frame.depth is not None
    return frame.depth


def _seen_camera(frame: Frame, sides: Sides) -> Intrinsics:
    """The camera of the network's input, where that is the plain view of a frame."""
    rows, columns = plain_part(frame)
    part = camera_of(frame).crop(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
    return part.scale(*sides[::-1])


def _with(frame: Frame, depth: Map, sigma: Map) -> Frame:
    """A frame with depth and sigma of its plain view; 0 beyond that."""
    rows, columns = plain_part(frame)
    maps = []
    for each in (depth, sigma):
        whole = np.zeros(frame.pixels.shape[:2], np.float32)
        part = whole[rows, columns]
        part[...] = cv2.resize(each, part.shape[::-1], interpolation=cv2.INTER_NEAREST)
        maps.append(whole)
    return Frame(frame.pixels, maps[0], frame.camera, maps[1])
