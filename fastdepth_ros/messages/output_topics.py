"""The topics that answers go out on, a record each: a new one is a row here, and a test says what else lacks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sensor_msgs.msg import CameraInfo, CompressedImage, Image, LaserScan, PointCloud2

PIPELINE, CALIBRATION, DERIVED = "pipeline", "calibration", "derived"
"""Who makes an answer: the pipeline writes it into a message that is kept, it is described by the calibration, or the
node makes a new message from an answer of the pipeline's."""


@dataclass(frozen=True)
class OutputTopic:
    """A topic of answers. Each bears the stamp of its image, and its frame but for the scan, and is reliable.

    Attributes:
        name: of the answer; where the pipeline makes it, the argument of ``Pipeline.run`` by which it is wanted, the
            buffer that it asks for and the field of ``DepthFrame``.
        topic: relative name.
        message: type of its messages.
        maker: :data:`PIPELINE`, :data:`CALIBRATION` or :data:`DERIVED`.
        source: of a derived one: the argument of ``Pipeline.run`` by which is wanted what it is made from.
        readers: who reads it, as it comes: programs that are held against this in tests.
        needs_camera: whether there is none without a calibration of the image's size.
        queue: depth of its queue; whoever wants every answer can have it.
        is_off: whether parameters leave it out.
    """

    name: str
    topic: str
    message: Any
    maker: str
    source: str = ""
    readers: tuple[str, ...] = ()
    needs_camera: bool = False
    queue: int = 2
    is_off: Callable[[Any], bool] = lambda _: False


CLOUD = "cloud"
"""Name of the points, which are made from the depth map: what is not goes out before."""

DEMO, RVIZ = "fastdepth demo", "RViz"

OUTPUT_TOPICS = (
    # First, because consumers such as depthimage_to_laserscan skip a depth image before any camera_info has come.
    OutputTopic("camera_info", "depth/camera_info", CameraInfo, CALIBRATION, readers=(DEMO,), needs_camera=True),
    OutputTopic("depth", "depth/image_rect", Image, PIPELINE, readers=(DEMO, RVIZ)),
    OutputTopic("uncertainty", "depth/uncertainty", Image, PIPELINE, readers=(DEMO,)),
    OutputTopic(
        CLOUD,
        "depth/points",
        PointCloud2,
        PIPELINE,
        readers=(DEMO, RVIZ),
        needs_camera=True,
        is_off=lambda parameters: parameters.cloud == "off",
    ),
    # Under the name that image_transport's plugin of this kind subscribes to.
    OutputTopic("compressed_depth", "depth/image_rect/compressedDepth", CompressedImage, DERIVED, "depth"),
    # Not `scan`, on which the node hears a lidar.
    OutputTopic("scan", "depth/scan", LaserScan, DERIVED, "cells", needs_camera=True),
    OutputTopic("obstacles", "depth/obstacles", PointCloud2, DERIVED, "cells", needs_camera=True),
    OutputTopic("preview", "depth/preview/compressed", CompressedImage, DERIVED, "cells"),
)
"""In the order in which the answers to an image are published, as long as camera_info or somebody is new."""

PIPELINE_OUTPUTS = tuple(output for output in OUTPUT_TOPICS if output.maker == PIPELINE)
"""Topics of what the pipeline makes."""

DERIVED_OUTPUTS = tuple(output for output in OUTPUT_TOPICS if output.maker == DERIVED)
"""Topics of what the node makes from that."""
