"""Some frames of a run side by side, in the picture's own pixels: picture, depth, truth, error."""

from __future__ import annotations

from collections.abc import Collection

import cv2
import numpy as np

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import Bgr, colourise
from fastdepth_ros.demo.truth import Case, Depth, read_at, sized
from fastdepth_ros.errors import ImageError
from fastdepth_ros.evaluation import report
from fastdepth_ros.evaluation.pictures import depth_scale, error_picture, error_scale
from fastdepth_ros.messages.files import bgr_of
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker
from fastdepth_ros.recording.content import COMPRESSED

WIDTH = 320
"""Of a picture on the page [px]."""

ERROR_FULL = 1.0
"""Error of the full colour [m]."""


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
        self._frames: list[tuple[int, Bgr, Depth, Depth | None, float]] = []

    def add(self, case: Case, delta1: float | None) -> None:
        """Keep a frame if it is one of the chosen."""
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
        self._frames.append((case.number, small, depth, truth, float("nan") if delta1 is None else delta1))

    def parts(self) -> list[str]:
        """The section of the report; nothing where no frame was kept."""
        if not self._frames:
            return []
        depths = np.concatenate([d[np.isfinite(d)] for frame in self._frames for d in frame[2:4] if d is not None])
        near, far = np.percentile(depths, (1, 99)) if len(depths) else (0.5, 5.0)
        near, far = max(0.1, float(near)), float(max(far, near + 0.1))
        with_truth = any(frame[3] is not None for frame in self._frames)
        head = ["picture", "depth of the node", *(["true depth", "error"] if with_truth else [])]
        rows = []
        for number, photograph, depth, truth, delta1 in self._frames:
            pictures = [photograph, colourise(depth, near, far)]
            words = f"frame {number}"
            if with_truth:
                known = truth if truth is not None else np.full_like(depth, np.nan)
                pictures += [colourise(known, near, far), error_picture(depth - known, ERROR_FULL)]
                words += f", delta1 {delta1:.3f}" if np.isfinite(delta1) else ""
            rows.append((words, pictures))
        scales = [report.scale("depth [m]", depth_scale(near, far), _metres(near, far))]
        if with_truth:
            numbers = [(0.0, f"{-ERROR_FULL:g} too near"), (0.5, "0"), (1.0, f"+{ERROR_FULL:g} too far")]
            scales.append(report.scale("error [m]", error_scale(ERROR_FULL), numbers))
        return [report.heading("Frames"), report.picture_rows(head, rows, scales)]


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
