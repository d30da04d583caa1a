"""The answers beside the true depth that the recording holds.

The network's answer covers a part of the picture in a grid of its own. The camera_info that the node publishes with it
says which: every pixel of the answer is a ray, the ray meets the picture's image plane at a pixel of the recording's
camera, and the true depth is read there (nearest pixel; a mean across an edge would be a depth that is nowhere).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.demo.client import DEPTH, UNCERTAINTY
from fastdepth_ros.demo.results import Results
from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording import CameraTopics, Message, Recording
from fastdepth_ros.recording.content import frame_of
from fastdepth_ros.recording.depth import decode_depth
from fastdepth_ros.recording.following import Follower, stamped

Depth = npt.NDArray[np.float32]

INFO = "/depth/camera_info"


class Case(NamedTuple):
    """One answer, with what there is to compare it with.

    Attributes:
        number: of its image among those that were sent.
        image: the image's message.
        depth: (h, w) [m], NaN where there is none, in the answer's own grid.
        camera: of ``depth``; None where the node published none.
        truth: true depth [m] in the recording's picture; None where there is none.
        sigma: standard deviation of ``depth`` [m] as the node says it, NaN where it has none; None where nobody asked.
    """

    number: int
    image: Message
    depth: Depth
    camera: Intrinsics | None
    truth: Depth | None
    sigma: Depth | None = None


def intrinsics_of(info: Any) -> Intrinsics | None:
    """The camera of a CameraInfo message; None where it is not calibrated."""
    if not (info.width and info.height and info.k[0] > 0 and info.k[4] > 0):
        return None
    return Intrinsics(int(info.width), int(info.height), *(float(info.k[i]) for i in (0, 4, 2, 5)))


def camera_of(recording: Recording, topics: CameraTopics) -> Intrinsics | None:
    """The camera of the recording's picture; None where it has none that is calibrated."""
    first = recording.first(topics.camera_info.name) if topics.camera_info else None
    return intrinsics_of(recording.decode(first)) if first else None


def why_no_truth(recording: Recording, topics: CameraTopics) -> str:
    """Why the answers cannot be held against a true depth, as a sentence; empty where they can.

    Depth that was not brought to the picture's pixels would make every answer look wrong; one knows it by another
    frame_id, or by another shape of the picture.
    """
    if topics.ground_truth is None:
        return "The recording holds no true depth."
    name = topics.ground_truth.name
    camera = camera_of(recording, topics)
    if camera is None and topics.why_no_camera_info:
        return topics.why_no_camera_info
    if camera is None:
        return f"The recording holds {name} but no calibrated camera_info that says where its pixels look."
    truth = recording.first(name)
    if truth is None:
        return f"{name} holds no message."
    try:
        height, width = decode_depth(recording.decode(truth)).shape
    except RecordingError as error:
        return f"{name} cannot be read: {error}"
    frames = frame_of(recording, topics.image), frame_of(recording, topics.ground_truth)
    if frames[0] != frames[1]:
        return f"{name} is in the frame {frames[1]}, not in the picture's ({frames[0]}): it is not aligned to it."
    if abs(width * camera.height - height * camera.width) > 0.01 * width * camera.height:
        return f"{name} is {width}x{height}, which is not the shape of the picture ({camera.width}x{camera.height})."
    return ""


def decoded(recording: Recording, message: Message | None) -> Depth | None:
    """Depth [m] of a message; None where there is none, or none that can be read."""
    try:
        return decode_depth(recording.decode(message)) if message else None
    except RecordingError:
        return None


def cases(recording: Recording, topics: CameraTopics, depth: Recording, results: Results) -> Iterator[Case]:
    """Every answer of a run in the order of its image; both recordings are read once, side by side.

    Raises:
        RecordingError: one of them is broken.
    """
    numbers = {image.stamp: number for number, image in enumerate(results.sent)}
    images = Follower(recording, topics.image.name)
    truths = Follower(recording, topics.ground_truth.name) if topics.ground_truth else None
    infos, sigmas = (Follower(depth, name) if name in depth.topics else None for name in (INFO, UNCERTAINTY))
    for stamp, message in stamped(depth, DEPTH) if DEPTH in depth.topics else ():
        number = numbers.get(stamp)
        if number is None:
            continue
        sent = results.sent[number]
        image = images.nearest(sent.recorded)
        info = infos.nearest(sent.stamp) if infos else None
        truth = truths.nearest(sent.recorded) if truths else None
        sigma = sigmas.nearest(sent.stamp) if sigmas else None
        if image is not None:
            yield Case(
                number,
                image,
                decode_depth(depth.decode(message)),
                intrinsics_of(depth.decode(info)) if info else None,
                decoded(recording, truth),
                decoded(depth, sigma),
            )


def read_at(values: Depth, camera: Intrinsics, asked: Intrinsics) -> Depth:
    """Values of a depth map along the rays of the pixels of another camera at the same place.

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
    """A camera's view with another number of pixels."""
    return camera if (camera.width, camera.height) == (width, height) else camera.scale(width, height)


def true_depth(case: Case, camera: Intrinsics) -> Depth | None:
    """The true depth at the pixels of the answer; None where the recording holds none or the cameras are not known."""
    if case.truth is None or case.camera is None:
        return None
    height, width = case.truth.shape
    return read_at(case.truth, sized(camera, width, height), case.camera)
