"""The frame_id of a camera is found out for RViz, whatever its transport."""

import os
import subprocess
import sys
from itertools import cycle

import pytest
import rclpy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


@pytest.mark.parametrize(
    ("kind", "topic"), [(Image, "image"), (CompressedImage, "image/compressed"), (CameraInfo, "camera_info")]
)
@pytest.mark.usefixtures("domain")
def test_the_first_message_of_a_camera_names_its_frame(nursery, kind, topic):
    node = rclpy.create_node("eye", namespace=f"/first{os.getpid()}")
    publisher = node.create_publisher(kind, topic, 1)
    place = node.get_namespace()
    order = [sys.executable, "-m", "fastdepth_ros.node.first_frame", f"{place}/image", f"{place}/camera_info"]
    homeless = {name: value for name, value in os.environ.items() if name not in ("ROS_LOG_DIR", "ROS_HOME")}
    waiting = nursery.start(order, env={**homeless, "HOME": "/proc/nowhere"}, stdout=subprocess.PIPE)
    message = kind()
    # A driver without a frame_id is no answer, nor is one whose frame_id is none.
    for frame in cycle(["", "x" * 100_000, "left\nright"] * 5 + ["left_optical_frame"]):
        if waiting.poll() is not None:
            break
        message.header.frame_id = frame
        publisher.publish(message)
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    assert (waiting.returncode, waiting.communicate()[0]) == (0, "left_optical_frame\n")
