"""``python -m fastdepth_ros.node.first_frame IMAGE CAMERA_INFO``: waits for a camera and prints its frame_id.

The launch file asks for it before it starts RViz, whose fixed frame it becomes.
"""

from __future__ import annotations

import os
import sys

import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from fastdepth_ros import cdr
from fastdepth_ros.children import end_with_launch
from fastdepth_ros.messages.serialized import LONGEST_NAME
from fastdepth_ros.runtime.ros_log import provide_log_folder


def main(image: str, camera_info: str) -> int:
    """Wait for the first message with a frame_id on the image (raw or compressed) or its camera_info, and print it.

    Returns:
        0, or 1 where the wait was ended from outside.

    Raises:
        StorageError: ROS has no place for its log.
    """
    provide_log_folder()
    rclpy.init(args=[])
    node = rclpy.create_node(f"first_frame_{os.getpid()}", enable_rosout=False, start_parameter_services=False)
    frames: list[str] = []

    def hear(data: bytes) -> None:
        try:
            frame = cdr.frame_of(data)
        except ValueError:  # it is cut short
            return
        if frame.isprintable() and len(frame) <= LONGEST_NAME:
            frames.append(frame)

    topics = {image.removesuffix("/compressed"): Image, camera_info: CameraInfo}
    topics[f"{image.removesuffix('/compressed')}/compressed"] = CompressedImage
    quality = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    for topic, kind in topics.items():
        node.create_subscription(kind, topic, hear, quality, raw=True)
    try:
        while not any(frames):
            rclpy.spin_once(node)
        # Before DDS is taken down, which may crash: it has other threads.
        sys.stdout.write(f"{next(filter(None, frames))}\n")
        sys.stdout.flush()
    except (KeyboardInterrupt, ExternalShutdownException):
        return 1
    finally:
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    end_with_launch()
    sys.exit(main(*sys.argv[1:3]))
