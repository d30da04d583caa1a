"""The answers beside the true depth that the recording holds.

The network's answer covers a part of the picture in a grid of its own. The camera_info that the node publishes with it
says which: every pixel of the answer is a ray, the ray meets the picture's image plane at a pixel of the recording's
camera, and the true depth is read there (nearest pixel; a mean across an edge would be a depth that is nowhere).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.demo.client import DEPTH
from fastdepth_ros.demo.results import Results
from fastdepth_ros.evaluation.metrics import METRICS, evaluate
from fastdepth_ros.recording import CameraTopics, Message, Recording, cdr
from fastdepth_ros.recording.depth import decode_depth

Depth = npt.NDArray[np.float32]

INFO = "/depth/camera_info"

TOLERANCE = 20_000_000
"""A true depth belongs to an image whose stamp differs by less than this [ns]: less than a period at 30 Hz."""

BIN = 1.0
"""Width of the distances over which errors are summed [m]."""


class Case(NamedTuple):
    """One answer, with what there is to compare it with.

    Attributes:
        number: of its image among those that were sent.
        image: the image's message.
        depth: (h, w) [m], NaN where there is none, in the answer's own grid.
        camera: of ``depth``; None where the node published none.
        truth: true depth [m] in the recording's picture; None where there is none.
    """

    number: int
    image: Message
    depth: Depth
    camera: Intrinsics | None
    truth: Depth | None


@dataclass(frozen=True)
class Distance:
    """Errors of all pixels whose true depth lies in one range.

    Attributes:
        low, high: the range [m].
        share: of all compared pixels.
        rmse, bias: root mean square and mean of answer minus truth [m].
    """

    low: float
    high: float
    share: float
    rmse: float
    bias: float


@dataclass(frozen=True)
class Accuracy:
    """How far the answers are from the truth.

    Attributes:
        metric: the means over frames of every measure, with the answers as they are.
        scaled: the same after each frame was multiplied by the factor that brings its median to the truth's: what is
            left is error of shape, not of scale.
        frames: index of the image -> delta1 of its answer.
        distances: errors by distance.
    """

    metric: dict[str, float]
    scaled: dict[str, float]
    frames: dict[int, float]
    distances: list[Distance]


def intrinsics_of(info: Any) -> Intrinsics | None:
    """The camera of a CameraInfo message; None where it is not calibrated."""
    if not (info.width and info.height and info.k[0] > 0 and info.k[4] > 0):
        return None
    return Intrinsics(int(info.width), int(info.height), *(float(info.k[i]) for i in (0, 4, 2, 5)))


def camera_of(recording: Recording, topics: CameraTopics) -> Intrinsics | None:
    """The camera of the recording's picture; None where it has none that is calibrated."""
    first = recording.first(topics.camera_info.name) if topics.camera_info else None
    return intrinsics_of(recording.decode(first)) if first else None


def cases(recording: Recording, topics: CameraTopics, depth: Recording, results: Results) -> Iterator[Case]:
    """Every answer of a run in the order of its image; both recordings are read once, side by side.

    Raises:
        RecordingError: one of them is broken.
    """
    numbers = {image.stamp: number for number, image in enumerate(results.sent)}
    images = _Follower(recording, topics.image.name)
    truths = _Follower(recording, topics.ground_truth.name) if topics.ground_truth else None
    infos = _Follower(depth, INFO) if INFO in depth.topics else None
    for message in depth.messages([DEPTH]) if DEPTH in depth.topics else ():
        number = numbers.get(cdr.stamp_of(message.data))
        if number is None:
            continue
        sent = results.sent[number]
        image = images.nearest(sent.recorded)
        info = infos.nearest(sent.stamp) if infos else None
        truth = truths.nearest(sent.recorded) if truths else None
        if image is not None:
            yield Case(
                number,
                image,
                decode_depth(depth.decode(message)),
                intrinsics_of(depth.decode(info)) if info else None,
                decode_depth(recording.decode(truth)) if truth else None,
            )


class _Follower:
    """Goes through a topic once, to the messages whose stamps are nearest to stamps that grow."""

    def __init__(self, recording: Recording, topic: str) -> None:
        self._messages = recording.messages([topic])
        self._here: Message | None = None
        self._next = next(self._messages, None)

    def nearest(self, stamp: int) -> Message | None:
        """The message nearest to a stamp [ns]; None where none is near enough to belong to it."""
        while self._next and (self._here is None or _gap(self._next, stamp) <= _gap(self._here, stamp)):
            self._here, self._next = self._next, next(self._messages, None)
        return self._here if self._here and _gap(self._here, stamp) < TOLERANCE else None


def _gap(message: Message, stamp: int) -> int:
    return abs(cdr.stamp_of(message.data) - stamp)


def read_at(values: Depth, camera: Intrinsics, asked: Intrinsics) -> Depth:
    """What a depth map holds along the rays of the pixels of another camera at the same place.

    Args:
        values: (camera.height, camera.width).
        camera: of ``values``.
        asked: the camera whose pixels are wanted.

    Returns:
        (asked.height, asked.width); NaN where ``camera`` does not look.
    """
    x, y = asked.slopes()
    columns = np.rint(x * camera.fx + camera.cx).astype(int)
    rows = np.rint(y * camera.fy + camera.cy).astype(int)
    inside = (columns >= 0) & (columns < camera.width) & (rows >= 0) & (rows < camera.height)
    found = values[rows.clip(0, camera.height - 1), columns.clip(0, camera.width - 1)]
    return np.where(inside, found, np.float32(np.nan)).astype(np.float32)


def sized(camera: Intrinsics, width: int, height: int) -> Intrinsics:
    """The same view with another number of pixels."""
    return camera if (camera.width, camera.height) == (width, height) else camera.scale(width, height)


def true_depth(case: Case, camera: Intrinsics) -> Depth | None:
    """The true depth at the pixels of the answer; None where the recording holds none or the cameras are not known."""
    if case.truth is None or case.camera is None:
        return None
    height, width = case.truth.shape
    return read_at(case.truth, sized(camera, width, height), case.camera)


class AccuracySum:
    """Adds up errors, case after case."""

    def __init__(self) -> None:
        self._metric: list[dict[str, float]] = []
        self._scaled: list[dict[str, float]] = []
        self._frames: dict[int, float] = {}
        self._counts = np.zeros(100)
        self._errors = np.zeros(100)
        self._squares = np.zeros(100)

    def add(self, number: int, depth: Depth, truth: Depth) -> float | None:
        """Compare one answer with the truth in the same grid; its delta1, None where nothing could be compared."""
        measures = evaluate(depth, truth)
        if not measures["pixels"]:
            return None
        self._metric.append(measures)
        self._scaled.append(evaluate(depth, truth, scale="median"))
        self._frames[number] = measures["delta1"]
        both = np.isfinite(depth) & np.isfinite(truth)
        error = (depth[both] - truth[both]).astype(np.float64)
        bins = np.minimum((truth[both] / BIN).astype(int), len(self._counts) - 1)
        self._counts += np.bincount(bins, minlength=len(self._counts))
        self._errors += np.bincount(bins, error, minlength=len(self._counts))
        self._squares += np.bincount(bins, error**2, minlength=len(self._counts))
        return measures["delta1"]

    def result(self) -> Accuracy | None:
        """What was added up; None where nothing could be compared."""
        if not self._metric:
            return None
        distances = [
            Distance(
                BIN * i,
                BIN * (i + 1),
                float(self._counts[i] / self._counts.sum()),
                float(np.sqrt(self._squares[i] / self._counts[i])),
                float(self._errors[i] / self._counts[i]),
            )
            for i in np.flatnonzero(self._counts)
        ]
        return Accuracy(_means(self._metric), _means(self._scaled), self._frames, distances)


def _means(measures: Sequence[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([m[name] for m in measures])) for name in (*METRICS, "coverage", "scale")}
