"""depth.launch.py plays a recording with measured points and a scan: depth is anchored to them."""

from __future__ import annotations

import sys
import time
import unittest
from pathlib import Path

import pytest

sys.path.extend(str(folder) for folder in Path(__file__).parents[:2])  # pytest does that, launch_test does not

pytest.importorskip("launch_testing", reason="ROS 2's launch_testing is not installed")
pytest.importorskip("launch_ros", reason="ROS 2's launch_ros is not installed")

import launch_testing
import launch_testing.actions
import launch_testing.asserts
import numpy as np
import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from diagnostic_msgs.msg import DiagnosticArray
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_scene import FAR, FRAME, PATIENCE, make_bundle, make_recording, own_graph
from sensor_msgs.msg import Image, LaserScan, PointCloud2

try:
    SHARE = Path(get_package_share_directory("fastdepth_ros"))
except PackageNotFoundError:
    pytest.skip("fastdepth_ros is not installed where ament finds it (AMENT_PREFIX_PATH)", allow_module_level=True)

SCALE = 1.1
"""Factor by which anchored depth may be off what was measured everywhere (median)."""


@pytest.mark.launch_test
def generate_test_description():
    folder = own_graph() / "anchored"
    arguments = {
        "bag": str(make_recording(folder / "recording", compressed=False, anchors=True)),
        "model": str(make_bundle(folder / "random").path),
        "namespace": "robot",
        "anchors": "/slam/points",
        "anchor_extrinsics": "scan=0 0 0 0 0 0",
        "loop": "true",  # launch_testing ends it
        **PATIENCE,
    }
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / "launch" / "depth.launch.py")), launch_arguments=arguments.items()
    )
    return LaunchDescription([depth, launch_testing.actions.ReadyToTest()]), {}


class WhileTheRecordingPlays(unittest.TestCase):
    """Points and scan go out where the node hears them, with stamps that it can match."""

    def test_depth_is_anchored_to_what_was_recorded(self):
        rclpy.init(args=[])
        self.addCleanup(rclpy.try_shutdown)
        node = rclpy.create_node("test_anchors")
        depths, said, sensors = [], [""], {}

        def hear(message):
            for status in message.status:
                if status.name == "robot/fastdepth: anchoring":
                    said[0] = status.message

        node.create_subscription(DiagnosticArray, "/diagnostics", hear, 10)
        node.create_subscription(Image, "/robot/depth/image_rect", depths.append, 10)
        for kind, topic in ((PointCloud2, "/slam/points"), (LaserScan, "/robot/scan")):
            node.create_subscription(kind, topic, lambda message, topic=topic: sensors.update({topic: message}), 10)

        def off():
            depth = np.frombuffer(depths[-1].data, np.float32)
            return abs(np.log(np.nanmedian(depth[np.isfinite(depth)]) / FAR))

        end = time.monotonic() + 400
        while time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
            both = "anchors (" in said[0] and "scan (" in said[0]
            if depths and both and off() < np.log(SCALE) and len(sensors) == 2:
                break
        assert set(sensors) == {"/slam/points", "/robot/scan"}
        assert "anchors (" in said[0], said
        assert "scan (" in said[0], said
        assert off() < np.log(SCALE), off()
        assert depths[-1].header.frame_id == FRAME
        now, stamp = node.get_clock().now().nanoseconds, sensors["/slam/points"].header.stamp
        assert abs(now - stamp.sec * 10**9 - stamp.nanosec) < 60 * 10**9, "stamps of now, not of the recording"


@launch_testing.post_shutdown_test()
class AfterTheEnd(unittest.TestCase):
    """Nothing went wrong on the way out."""

    def test_every_process_ended_with_status_0(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)
