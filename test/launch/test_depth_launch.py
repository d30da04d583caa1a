"""depth.launch.py plays a recording through the node: once raw; once compressed, in a namespace, on a made-up TX2."""

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
import rclpy
from ament_index_python.packages import PackageNotFoundError, get_package_share_directory
from boards import tx2_jetpack4
from diagnostic_msgs.msg import DiagnosticArray
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_scene import FRAME, FRAMES, HEIGHT, PATIENCE, WIDTH, make_bundle, make_recording, own_graph
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from fastdepth_ros.runtime.precision import int8_here

try:
    SHARE = Path(get_package_share_directory("fastdepth_ros"))
except PackageNotFoundError:
    pytest.skip("fastdepth_ros is not installed where ament finds it (AMENT_PREFIX_PATH)", allow_module_level=True)

NAMESPACES = {"raw": "", "compressed": "robot"}
NODES = {"raw": "fastdepth", "compressed": "robot/fastdepth"}
"""What the node is called in the graph, and so on /diagnostics."""

PROFILES = {"raw": "max-n", "compressed": "max-q"}
PRECISIONS = {
    "raw": "int8" if int8_here() else "float32",
    "compressed": "float32",
}


def hurried(folder: Path) -> Path:
    """Parameters with a max-q that lets nobody go first: the shipped one answers nothing on a machine that is busy."""
    power, parameters = folder / "power.yaml", folder / "parameters.yaml"
    power.write_text("profiles: {max-q: {like: max-q, tx2: {niceness: 0}}}\n", encoding="utf-8")
    parameters.write_text(f"/**: {{ros__parameters: {{power_file: {power}}}}}\n", encoding="utf-8")
    return parameters


@pytest.mark.launch_test
@launch_testing.parametrize("transport", list(NAMESPACES))
def generate_test_description(transport):
    folder = own_graph() / transport
    arguments = {
        "bag": str(make_recording(folder / "recording", compressed=transport == "compressed")),
        "model": str(make_bundle(folder / "random").path),
        "namespace": NAMESPACES[transport],
        "image": "/front/image",
        "cloud": "xyzrgb",
        "output_size": "camera",
        "precision": PRECISIONS[transport],
        "loop": "true",  # launch_testing ends it
        **PATIENCE,
    }
    if transport == "compressed":
        board = tx2_jetpack4.build(folder / "board", "MAXP_CORE_ARM")
        arguments |= {"power_profile": PROFILES[transport], "board_root": str(board.root)}
        arguments["params_file"] = str(hurried(folder))
    depth = IncludeLaunchDescription(
        PythonLaunchDescriptionSource(str(SHARE / "launch" / "depth.launch.py")), launch_arguments=arguments.items()
    )
    return LaunchDescription([depth, launch_testing.actions.ReadyToTest()]), {}


class WhileTheRecordingPlays(unittest.TestCase):
    """Each image is answered, under the names that were asked for."""

    def test_depth_camera_info_and_cloud_come_with_the_stamp_of_the_image(self, transport):
        rclpy.init(args=[])
        self.addCleanup(rclpy.try_shutdown)
        node = rclpy.create_node("test")
        heard: dict[str, dict] = {"depth": {}, "camera_info": {}, "cloud": {}, "source": {}}

        def hear(name, kind, topic):
            def note(message):
                heard[name][(message.header.stamp.sec, message.header.stamp.nanosec)] = message

            node.create_subscription(kind, topic, note, 10)

        prefix = f"/{NAMESPACES[transport]}/depth".replace("//", "/")
        hear("depth", Image, f"{prefix}/image_rect")
        hear("camera_info", CameraInfo, f"{prefix}/camera_info")
        hear("cloud", PointCloud2, f"{prefix}/points")
        hear("source", CameraInfo, "/front/camera_info")  # the player gives it the stamp of its image

        def whole():
            return set.intersection(*(set(messages) for messages in heard.values()))

        end = time.monotonic() + 120
        while len(whole()) < FRAMES // 4 and time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
        counts = {name: len(messages) for name, messages in heard.items()}
        assert len(whole()) >= FRAMES // 4, counts
        stamp = max(whole())
        for name in ("depth", "camera_info", "cloud"):
            message = heard[name][stamp]
            assert message.header.frame_id == FRAME
            assert (message.width, message.height) == (WIDTH, HEIGHT)
        assert [field.name for field in heard["cloud"][stamp].fields] == ["x", "y", "z", "rgb"]

    def test_precision_and_power_profile_are_in_force(self, transport):
        rclpy.init(args=[])
        self.addCleanup(rclpy.try_shutdown)
        node = rclpy.create_node("test_power")
        said: dict[str, dict[str, str]] = {}

        def hear(message):
            for status in message.status:
                if status.name.rpartition(": ")[0] != NODES[transport]:
                    continue  # somebody else's
                said[status.name.rpartition(": ")[2]] = {pair.key: pair.value for pair in status.values}

        node.create_subscription(DiagnosticArray, "/diagnostics", hear, 10)
        end = time.monotonic() + 60
        while "board" not in said and time.monotonic() < end:
            rclpy.spin_once(node, timeout_sec=0.1)
        assert said["budget"]["power_profile"] == PROFILES[transport]
        assert said["inference"]["precision"] == PRECISIONS[transport]
        if transport == "compressed":
            assert said["board"]["board"] == "quill (tx2)"
            assert said["board"]["problem 1"].endswith("Run: sudo nvpmodel -m 1")


@launch_testing.post_shutdown_test()
class AfterTheEnd(unittest.TestCase):
    """Nothing went wrong on the way out."""

    def test_every_process_ended_with_status_0(self, proc_info):
        launch_testing.asserts.assertExitCodes(proc_info)

    def test_the_node_said_what_it_does(self, proc_output):
        launch_testing.asserts.assertInStderr(proc_output, "]: answers /front/image", "depth_node")
