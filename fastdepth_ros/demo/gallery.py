"""Some frames of a run side by side, in the picture's own pixels: picture, depth, truth, error."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import cv2
import numpy as np

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import NO_ANSWER, Bgr, colourise
from fastdepth_ros.demo.feed import Points
from fastdepth_ros.demo.truth import Case, Depth, read_at, sized
from fastdepth_ros.errors import ImageError
from fastdepth_ros.evaluation import report
from fastdepth_ros.evaluation.pictures import depth_scale, error_picture, error_scale
from fastdepth_ros.messages.files import bgr_of
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker
from fastdepth_ros.recording.content import COMPRESSED

WIDTH = 320
"""Width of a picture on the page [px]."""

ERROR_FULL = 1.0
"""Error of the full colour [m]."""

SIGMA_FULL = 1.0
"""Standard deviation of the brightest colour [m]."""

DOT = 3
"""Radius of a measured point in the picture [px]."""


class Beside(NamedTuple):
    """Answer of a run without measured depths to the same image.

    Attributes:
        case: its answer.
        delta1: of that; None where it could not be compared.
    """

    case: Case
    delta1: float | None


class Shown(NamedTuple):
    """A frame on the page: maps in the pixels of its picture there [m]."""

    words: str
    photograph: Bgr
    depth: Depth
    truth: Depth | None
    alone: Depth | None
    sigma: Depth | None


class Gallery:
    """Keeps the frames that are to be shown; they are coloured together, so that a colour means one depth on all.

    Args:
        camera: of the recording's picture; None where it is not known.
        chosen: numbers of the frames to keep.

    Attributes:
        photographs: number of a kept frame -> its picture as the camera sent it.
    """

    def __init__(self, camera: Intrinsics | None, chosen: Collection[int]) -> None:
        self._camera = camera
        self._chosen = set(chosen)
        self.photographs: dict[int, Bgr] = {}
        self._frames: list[Shown] = []
        self._points: dict[int, Points] = {}

    def add(self, case: Case, delta1: float | None, alone: Beside | None = None, points: Points | None = None) -> None:
        """Keep a frame if it is one of the chosen.

        Args:
            case: the frame.
            delta1: of its answer; None where it could not be compared.
            alone: the answer without measured depths, where there is one.
            points: measured points (n, 3) in the camera's optical frame [m], to be drawn into the picture.
        """
        if case.number not in self._chosen:
            return
        try:
            photograph = _photograph(case)
        except ImageError:  # the node answered it, so this does not happen; a report without it is better than none
            return
        self.photographs[case.number] = photograph
        height = round(photograph.shape[0] * WIDTH / photograph.shape[1])
        small = cv2.resize(photograph, (WIDTH, height), interpolation=cv2.INTER_AREA)
        depth, truth = _in_picture(case, self._camera, WIDTH, height)
        words = f"frame {case.number}"
        other = sigma = None
        if delta1 is not None:
            words += f", delta1 {delta1:.3f}"
        if alone is not None:
            other, _ = _in_picture(alone.case, self._camera, WIDTH, height)
            words += f", without anchors {alone.delta1:.3f}" if alone.delta1 is not None else ""
        if case.sigma is not None and alone is not None:
            sigma, _ = _in_picture(case._replace(depth=case.sigma, truth=None), self._camera, WIDTH, height)
        if points is not None:
            self._points[len(self._frames)] = points
        self._frames.append(Shown(words, np.asarray(small, np.uint8), depth, truth, other, sigma))

    def parts(self) -> list[str]:
        """The section of the report; nothing where no frame was kept."""
        if not self._frames:
            return []
        frames = self._frames
        depths = np.concatenate([d[np.isfinite(d)] for f in frames for d in (f.depth, f.truth) if d is not None])
        near, far = np.percentile(depths, (1, 99)) if len(depths) else (0.5, 5.0)
        near, far = max(0.1, float(near)), float(max(far, near + 0.1))
        with_truth = any(frame.truth is not None for frame in frames)
        beside = any(frame.alone is not None for frame in frames)
        head, rows = [], []
        for number, frame in enumerate(frames):
            photograph = self._marked(number, frame, near, far)
            columns = {"picture with anchors" if beside else "picture": photograph}
            known = frame.truth if frame.truth is not None else np.full_like(frame.depth, np.nan)
            other = frame.alone if frame.alone is not None else np.full_like(frame.depth, np.nan)
            if beside:
                columns["depth without"] = colourise(other, near, far)
            columns["depth with" if beside else "depth of the node"] = colourise(frame.depth, near, far)
            if with_truth:
                columns["true depth"] = colourise(known, near, far)
                if beside:
                    columns["error without"] = error_picture(other - known, ERROR_FULL)
                columns["error with" if beside else "error"] = error_picture(frame.depth - known, ERROR_FULL)
            if beside:
                columns["uncertainty"] = sigma_picture(frame.sigma, frame.depth.shape)
            head = list(columns)
            rows.append((frame.words, list(columns.values())))
        scales = [report.scale("depth [m]", depth_scale(near, far), _metres(near, far))]
        if with_truth:
            numbers = [(0.0, f"{-ERROR_FULL:g} too near"), (0.5, "0"), (1.0, f"+{ERROR_FULL:g} too far")]
            scales.append(report.scale("error [m]", error_scale(ERROR_FULL), numbers))
        if beside:
            numbers = [(0.0, "0"), (1.0, f"{SIGMA_FULL:g} and more")]
            scales.append(report.scale("uncertainty, one standard deviation [m]", sigma_scale(), numbers))
        return [report.heading("Frames"), report.picture_rows(head, rows, scales)]

    def _marked(self, number: int, frame: Shown, near: float, far: float) -> Bgr:
        """The picture with the measured points in it, coloured by their depths."""
        points = self._points.get(number)
        if points is None or self._camera is None or not len(points):
            return frame.photograph
        marked = cv2.addWeighted(frame.photograph, 0.6, np.full_like(frame.photograph, 40), 0.4, 0)
        camera = self._camera.scale(marked.shape[1], marked.shape[0])
        colours = colourise(points[None, :, 2], near, far)[0]
        for (x, y), colour in zip(camera.project(points.astype(np.float64)), colours.tolist(), strict=True):
            cv2.circle(marked, (round(x), round(y)), DOT, colour, -1, cv2.LINE_AA)
        return np.asarray(marked, np.uint8)


def sigma_picture(sigma: Depth | None, shape: tuple[int, ...]) -> Bgr:
    """Standard deviations [m] as a picture: dark is sure; grey where there are none."""
    if sigma is None:
        return np.full((*shape, 3), NO_ANSWER, np.uint8)
    share = np.clip(np.nan_to_num(sigma / SIGMA_FULL), 0, 1)
    picture = np.asarray(cv2.applyColorMap((share * 255).astype(np.uint8), cv2.COLORMAP_MAGMA), np.uint8)
    picture[~np.isfinite(sigma)] = NO_ANSWER
    return picture


def sigma_scale(width: int = 256) -> Bgr:
    """The colours of standard deviations from 0 on: (1, width, 3)."""
    return sigma_picture(np.linspace(0, SIGMA_FULL, width, dtype=np.float32)[None, :], (1, width))


def _metres(near: float, far: float) -> list[tuple[float, str]]:
    between = [value for value in range(1, 100) if near + 0.08 * (far - near) < value < far - 0.08 * (far - near)]
    step = 1 + len(between) // 8
    inner = [((value - near) / (far - near), f"{value}") for value in between[::step]]
    return [(0.0, f"{near:.1f}"), *inner, (1.0, f"{far:.1f}")]


def _photograph(case: Case) -> Bgr:
    """The picture as blue, green, red."""
    message = Unpacker(case.image.topic.type == COMPRESSED).unpack(case.image.data)
    return bgr_of(PictureReader().read(message))


def _in_picture(case: Case, camera: Intrinsics | None, width: int, height: int) -> tuple[Depth, Depth | None]:
    """Answer and truth at the pixels of the picture on the page."""
    if camera is None or case.camera is None:
        stretched = cv2.resize(case.depth, (width, height), interpolation=cv2.INTER_NEAREST)
        return np.asarray(stretched, np.float32), None
    asked = camera.scale(width, height)
    truth = None
    if case.truth is not None:
        truth = read_at(case.truth, sized(camera, case.truth.shape[1], case.truth.shape[0]), asked)
    return read_at(case.depth, case.camera, asked), truth
