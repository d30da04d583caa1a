"""Messages of sensors -> measurements in the camera's optical frame, whatever their type."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fastdepth_ros.anchoring.cones import ConeMeasurement
from fastdepth_ros.anchoring.poses import Pose
from fastdepth_ros.anchoring.sightings import Measurement, placed
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.errors import AnchorError
from fastdepth_ros.messages.clouds import read_cloud
from fastdepth_ros.messages.depth_images import Depths, read_depths
from fastdepth_ros.messages.ranges import Cone, read_range, read_scan

READERS: Mapping[str, Callable[[bytes], Any]] = {
    "anchors": read_cloud,
    "scan": read_scan,
    "range": read_range,
    "anchor_depth": read_depths,
}
"""Source -> what reads its messages."""


def measurement_of(
    source: str, message: Any, pose: Pose, camera: Intrinsics | None = None, relative: bool = False
) -> tuple[Measurement, Mapping[str, int]]:
    """A measurement in the camera's optical frame, and how many of its points are no numbers, by cause.

    Args:
        source: its name.
        message: as :data:`READERS` reads it.
        pose: of the sensor's frame in the camera's optical frame.
        camera: of a depth image.
        relative: whether depths are known up to one factor only.

    Raises:
        AnchorError: it holds no measurement, or a depth image has no camera.
    """
    if isinstance(message, Cone):
        if message.range is None:
            raise AnchorError(
                f"{source} measures {message.why}", "Look at what is before the sensor, and at its limits."
            )
        return ConeMeasurement(source, pose, message.field_of_view, message.range, message.sigma), {}
    if isinstance(message, Depths):
        if camera is None:
            raise AnchorError("no camera_info came for anchor_depth", "It says where the pixels of the sensor look.")
        message = message.points(camera)
    return placed(source, message.xyz, message.variances, pose, relative, message.spread)
