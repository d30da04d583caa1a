"""The frame_id of a camera is found out for RViz, whatever its transport."""

import os
import subprocess
import sys

import pytest
import rclpy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image


@pytest.mark.parametrize(
    ("kind", "topic"), [(Image, "image"), (CompressedImage, "image/compressed"), (CameraInfo, "camera_info")]
)
def test_the_first_message_of_a_camera_names_its_frame(domain, kind, topic):  # noqa: ARG001
    node = rclpy.create_node("eye", namespace=f"/first{os.getpid()}")
    publisher = node.create_publisher(kind, topic, 1)
    place = node.get_namespace()
    order = [sys.executable, "-m", "fastdepth_ros.node.first_frame", f"{place}/image", f"{place}/camera_info"]
    waiting = subprocess.Popen(order, stdout=subprocess.PIPE, text=True)
    message = kind()
    while waiting.poll() is None:
        publisher.publish(kind())  # a driver without a frame_id is no answer
        message.header.frame_id = "left_optical_frame"
        publisher.publish(message)
        rclpy.spin_once(node, timeout_sec=0.1)
    node.destroy_node()
    assert (waiting.returncode, waiting.stdout.read()) == (0, "left_optical_frame\n")
