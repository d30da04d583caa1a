"""A node does not measure its own depth, whoever publishes it again."""

from __future__ import annotations

import pytest
import rclpy
from anchor_messages import serialized
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, Image, LaserScan

from fastdepth_ros.errors import Level
from fastdepth_ros.node.anchor_echo import STAMPS, Echo, Echoes, Loops
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.parameters import validate

NOW = 100.0


@pytest.fixture
def outputs(robot):
    kinds = {"depth/image_rect": Image, "depth/camera_info": CameraInfo}
    return [robot.node.create_publisher(kind, topic, 1) for topic, kind in kinds.items()]


def test_who_reads_depth_and_publishes_a_scan_is_found(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    robot.other.create_publisher(LaserScan, "scan", 1)
    robot.wait_for(lambda: robot.node.count_publishers("/scan"))
    assert loops.find("/scan") is None
    robot.other.create_subscription(Image, "depth/image_rect", lambda _: None, 1)
    robot.wait_for(lambda: loops.find("/scan"))
    assert loops.find("/scan") == Echo("/other", "/depth/image_rect")
    assert loops.find("/range") is None


def test_who_reads_only_camera_info_makes_no_depth(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    robot.other.create_publisher(LaserScan, "scan", 1)
    robot.other.create_subscription(CameraInfo, "depth/camera_info", lambda _: None, 1)
    robot.wait_for(lambda: robot.node.count_publishers("/scan") and outputs[1].get_subscription_count())
    assert loops.find("/scan") is None


def test_another_node_that_reads_depth_is_no_echo_of_a_lidar(robot, outputs):
    loops = Loops(robot.node, lambda: outputs)
    lidar = rclpy.create_node("lidar", context=robot.context)
    lidar.create_publisher(LaserScan, "scan", 1)
    robot.other.create_subscription(Image, "depth/image_rect", lambda _: None, 1)
    robot.wait_for(lambda: robot.node.count_publishers("/scan") and outputs[0].get_subscription_count())
    assert loops.find("/scan") is None
    lidar.destroy_node()


def test_a_nodes_own_topic_is_found(robot, outputs):
    outputs.append(robot.node.create_publisher(LaserScan, "scan", 1))
    loops = Loops(robot.node, lambda: outputs)
    robot.wait_for(lambda: loops.find("/scan"))
    assert loops.find("/scan") == Echo("/tried", "")


def scan_at(stamp):
    scan = LaserScan(angle_min=-0.3, angle_increment=0.1, range_max=9.0, ranges=[2.0] * 7)
    scan.header.frame_id = "laser"
    scan.header.stamp = Time(sec=int(stamp), nanosec=round(stamp % 1 * 1e9))
    return serialized(scan)


def sources_of(robot, echo):
    parameters = validate({"anchor_extrinsics": "scan=0 0 0 0 0 0"})
    logger, find = robot.node.get_logger(), lambda topic: echo if topic == "/scan" else None
    made = AnchorSources(robot.subscriber, lambda topic: topic == "/scan", parameters, lambda: NOW, logger, echo=find)
    made.keep_up()
    return made


def test_a_scan_with_the_stamp_of_an_image_that_was_answered_is_this_nodes_own_depth(robot):
    sources = sources_of(robot, Echo("/depthimage_to_laserscan", "/depth/image_rect"))
    assert not sources.measure("eye", NOW)
    sources._inputs["scan"].hear(scan_at(NOW))
    for step in range(1, 4):
        assert not sources.measure("eye", NOW + step / 30)
    status = sources.report(NOW)[0]
    assert status.level == Level.WARN
    words = (
        "it is this node's own depth: /depthimage_to_laserscan reads /depth/image_rect and publishes it. Remap `scan`"
    )
    assert words in status.message


def test_a_bridge_that_reads_depth_may_bring_the_scan_of_a_lidar(robot):
    sources = sources_of(robot, Echo("/bridge", "/depth/image_rect"))
    assert not sources.measure("eye", NOW)
    sources._inputs["scan"].hear(scan_at(NOW + 0.011))
    assert sources.measure("eye", NOW + 1 / 30)


def test_what_a_node_publishes_itself_is_never_measured(robot):
    sources = sources_of(robot, Echo("/tried", ""))
    sources._inputs["scan"].hear(scan_at(NOW))
    assert not sources.measure("eye", NOW + 0.01)
    assert "scan is not used: this node publishes it" in sources.report(NOW)[0].message


def test_stamps_cost_no_memory():
    echoes = Echoes(lambda _: Echo("/other", "/depth/points"))
    echoes.answered(1.0)
    assert not echoes.why_not("scan", 1.0), "nobody is known to make anything of depth"
    echoes.look([("scan", "/scan")])
    for stamp in range(2 * STAMPS):
        echoes.answered(float(stamp))
    assert len(echoes._stamps) == STAMPS
    assert echoes.why_not("scan", 2.0 * STAMPS - 1)
    assert not echoes.why_not("scan", 3.0)
    assert not echoes.why_not("range", 2.0 * STAMPS - 1)
