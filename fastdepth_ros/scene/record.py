"""The room as a recording: what a camera on a slow walk through it would have recorded, with exact depth.

/camera/image_raw/compressed                     sensor_msgs/CompressedImage, JPEG
/camera/camera_info                              sensor_msgs/CameraInfo, the intrinsics of a Kinect's kind
/ground_truth/depth/image_raw/compressedDepth    sensor_msgs/CompressedImage, 16-bit PNG in millimetres
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from rosbags.typesys import Stores, get_typestore

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import RecordingError
from fastdepth_ros.recording.camera import CAMERA_INFO
from fastdepth_ros.recording.content import COMPRESSED
from fastdepth_ros.recording.depth import FORMAT_16UC1, encode_depth
from fastdepth_ros.recording.writer import RecordingWriter
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.render import Atlas, Renderer, Rendering
from fastdepth_ros.scene.room import build_room

CAMERA = Intrinsics(640, 480, 525.0, 525.0, 319.5, 239.5)
FRAMES = 75
RATE = 30
START = 1_600_000_000_000_000_000
"""Stamp of the first frame [ns]; any will do, as long as it is always the same."""

IMAGE_TOPIC = "/camera/image_raw/compressed"
INFO_TOPIC = "/camera/camera_info"
TRUTH_TOPIC = "/ground_truth/depth/image_raw/compressedDepth"
FRAME_ID = "camera_color_optical_frame"

STORE = get_typestore(Stores.ROS2_HUMBLE)

Progress = Callable[[int, int], None]


def room_recording(cache: Path, progress: Progress | None = None, frames: int = FRAMES) -> Path:
    """The room's recording; made (some ten seconds) where ``cache`` does not hold it yet.

    A change of this package's sources makes it anew.

    Args:
        cache: folder for recordings that can be made again.
        progress: called with how many frames are done, and of how many.
        frames: how many; the camera's way is the same, cut short.
    """
    digest = hashlib.sha256()
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.read_bytes())
    folder = cache / f"room-{frames}-{digest.hexdigest()[:12]}"
    if (folder / "metadata.yaml").is_file():
        return folder
    # Two processes may make it at once; the first to finish moves its own into place.
    try:
        write_room(folder, progress, frames)
    except RecordingError:
        if not (folder / "metadata.yaml").is_file():
            raise
    return folder


def write_room(
    folder: Path, progress: Progress | None = None, frames: int = FRAMES, atlas: Atlas | None = None
) -> None:
    """Render the room and write it as a recording into ``folder``, which must not exist.

    Args:
        folder: of the recording.
        progress: called with how many frames are done, and of how many.
        frames: how many.
        atlas: of the room, where it was made before.

    Raises:
        RecordingError: the folder exists or cannot be written.
    """
    with RecordingWriter(folder) as writer:
        renderer = Renderer(build_room(), CAMERA, atlas)
        for index in range(frames):
            _write(writer, renderer.render(pose_at(index / FRAMES), index), START + index * 1_000_000_000 // RATE)
            if progress:
                progress(index + 1, frames)


def _write(writer: RecordingWriter, frame: Rendering, stamp: int) -> None:
    types: dict[str, Any] = STORE.types
    header = types["std_msgs/msg/Header"](
        types["builtin_interfaces/msg/Time"](stamp // 1_000_000_000, stamp % 1_000_000_000), FRAME_ID
    )
    _, jpeg = cv2.imencode(".jpg", frame.picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 92])
    depth = np.frombuffer(encode_depth(frame.depth), np.uint8)
    k = [CAMERA.fx, 0, CAMERA.cx, 0, CAMERA.fy, CAMERA.cy, 0, 0, 1]
    p = [*k[:3], 0, *k[3:6], 0, *k[6:], 0]
    info = types[CAMERA_INFO](
        header=header,
        height=CAMERA.height,
        width=CAMERA.width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=np.array(k, np.float64),
        r=np.eye(3).ravel(),
        p=np.array(p, np.float64),
        binning_x=0,
        binning_y=0,
        roi=types["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False),
    )
    picture = types[COMPRESSED](header, "rgb8; jpeg compressed bgr8", jpeg.ravel())
    truth = types[COMPRESSED](header, FORMAT_16UC1, depth)
    for topic, kind, message in (
        (INFO_TOPIC, CAMERA_INFO, info),
        (IMAGE_TOPIC, COMPRESSED, picture),
        (TRUTH_TOPIC, COMPRESSED, truth),
    ):
        writer.write(topic, kind, stamp, bytes(STORE.serialize_cdr(message, kind)))
