"""`fastdepth doctor` on points, scans and ranges that somebody publishes."""

from __future__ import annotations

import json
import os
import sys
import threading

import numpy as np
import pytest
from anchor_messages import cloud_of, xyz_of

from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.cache import module_for

DOMAIN = 51 + (os.getpid() + 25) % 50
POINTS = np.array([[x / 5, y / 5, 3.0] for x in range(-3, 4) for y in range(-3, 4)])


@pytest.fixture(autouse=True)
def loopback(monkeypatch, dds_profile):
    for name, value in dds_profile.items():
        monkeypatch.setenv(name, value)


class Robot:
    """Publishes pictures and what it measured, ten times a second, until it is closed."""

    def __init__(self, *messages, camera=True):
        import rclpy
        from rclpy.context import Context
        from rclpy.qos import qos_profile_sensor_data
        from sensor_msgs.msg import CameraInfo, Image

        self.context = Context()
        rclpy.init(args=[], context=self.context, domain_id=DOMAIN)
        self.node = rclpy.create_node("robot", context=self.context)
        picture = Image(encoding="rgb8", width=64, height=48, step=192, data=bytes(range(256)) * 36)
        info = CameraInfo(width=64, height=48, k=[50.0, 0.0, 31.5, 0.0, 50.0, 23.5, 0.0, 0.0, 1.0])
        said = [("/front/image_raw", picture), ("/front/camera_info", info)] if camera else []
        self.said = [
            (self.node.create_publisher(type(message), topic, qos_profile_sensor_data), message)
            for topic, message in (*said, *messages)
        ]
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.done.wait(0.1):
            for publisher, message in self.said:
                message.header.stamp = self.node.get_clock().now().to_msg()
                publisher.publish(message)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()
        self.node.destroy_node()
        self.context.try_shutdown()


@pytest.fixture
def ask(nursery):
    """The doctor's checks of anchors, asked from a process of its own as a user would."""

    def answers(model, extrinsics="none"):
        code = (
            "import sys, json; from fastdepth_ros.commands.doctor import as_json\n"
            "from fastdepth_ros.doctor.anchors import Asked, anchors\n"
            "from fastdepth_ros.parameters import extrinsics_of\n"
            "asked = Asked('', '', 1.5, sys.argv[1], 'host', extrinsics_of(sys.argv[2]))\n"
            "json.dump([as_json(c) for c in anchors(asked)], sys.stdout)"
        )
        environment = {**os.environ, "ROS_DOMAIN_ID": str(DOMAIN)}
        done = nursery.run([sys.executable, "-c", code, str(model), extrinsics], env=environment, check=True)
        return {check["name"]: check for check in json.loads(done.stdout)}

    return answers


def cloud(frame="", points=POINTS):
    message = cloud_of(xyz_of(points))
    message.header.frame_id = frame
    return message


def test_points_that_help_are_told_with_the_remapping(ask):
    module_for(find_bundle("fastdepth-indoor"))  # doctor itself compiles nothing, and says less without
    with Robot(("/slam/points", cloud())):
        check = ask("fastdepth-indoor")["anchors"]
    assert "/slam/points" in check["fact"]
    assert "49 of 49 points seen" in check["fact"]
    assert "as the picture" in check["fact"]
    assert "anchors:=/slam/points" in check["fact"] or check["level"] == "WARN"


def test_points_in_a_frame_that_nobody_knows_are_told_with_the_remedy(ask):
    with Robot(("/slam/points", cloud("map"))):
        check = ask("fastdepth-indoor")["anchors"]
    assert check["level"] == "WARN"
    assert "no tf between" in check["fact"]
    assert "anchor_extrinsics" in check["remedy"]


def test_points_behind_the_camera_are_told(ask):
    with Robot(("/slam/points", cloud(points=-POINTS))):
        check = ask("fastdepth-indoor")["anchors"]
    assert check["level"] == "WARN"
    assert "behind the camera" in check["fact"]


def test_a_scan_is_placed_by_what_its_owner_measured(ask):
    from sensor_msgs.msg import LaserScan

    scan = LaserScan(angle_min=-0.2, angle_increment=0.1, range_max=9.0, ranges=[2.0] * 5)
    scan.header.frame_id = "laser"
    with Robot(("/scan", scan)):
        check = ask("fastdepth-indoor", "scan=0 0 0 0 0 0")["scan"]
    assert "5 of 5 points seen" in check["fact"]


def test_a_scan_that_may_be_made_of_the_networks_depth_is_told_and_not_condemned(ask):
    from sensor_msgs.msg import Image, LaserScan

    scan = LaserScan(angle_min=-0.2, angle_increment=0.1, range_max=9.0, ranges=[2.0] * 5)
    with Robot(("/scan", scan)) as robot:
        robot.node.create_subscription(Image, "/depth/image_rect", lambda _: None, 1)
        check = ask("fastdepth-indoor", "scan=0 0 0 0 0 0")["scan"]
    assert check["level"] == "OK"
    assert "5 of 5 points seen" in check["fact"]
    assert "/robot publishes it and reads /depth/image_rect" in check["fact"]


def test_a_cloud_that_cannot_be_read_is_told(ask):
    message = cloud()
    message.fields.pop()
    with Robot(("/slam/points", message)):
        check = ask("fastdepth-indoor")["anchors"]
    assert check["level"] == "WARN"
    assert "no field z" in check["fact"]


def test_without_a_picture_nothing_can_be_said(ask):
    with Robot(("/slam/points", cloud()), camera=False):
        check = ask("fastdepth-indoor")["anchors"]
    assert check["level"] == "WARN"
    assert "Start the camera" in check["remedy"]


def test_where_nobody_measures_depth_that_is_well(ask):
    with Robot():
        check = ask("fastdepth-indoor")["anchors"]
    assert check["level"] == "OK"
    assert "nobody publishes" in check["fact"]


@pytest.mark.parametrize(("factor", "is_near"), [(0.25, True), (0.001, False), (3.0, False)])
def test_what_is_nearer_than_can_be_has_other_units_and_is_no_close_up(factor, is_near):
    pytest.importorskip("rclpy")
    from fastdepth_ros.camera import Intrinsics
    from fastdepth_ros.diagnostics.anchoring import CHECK, CLOSE_UP
    from fastdepth_ros.doctor.anchors import _agreement
    from fastdepth_ros.doctor.sight import Sight

    camera = Intrinsics(224, 224, 200.0, 200.0, 112.0, 112.0)
    sight = Sight("eye", 0.0, camera, np.full((112, 112), 2.0, np.float32))
    pixels = np.array([[20.0, 30.0], [100.0, 80.0]], np.float32)
    found = _agreement("range", "10 Hz", "", pixels, np.full(2, 2.0 * factor, np.float32), sight)
    assert found.remedy == (CLOSE_UP if is_near else CHECK)
