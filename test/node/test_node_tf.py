"""Points of the map come through /tf and /tf_static, where tf's messages are installed."""

from __future__ import annotations

import numpy as np
import pytest
from anchor_messages import cloud_of, transform_of, xyz_of
from builtin_interfaces.msg import Time
from rclpy.qos import DurabilityPolicy, QoSProfile

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.node.anchor_sources import AnchorSources
from fastdepth_ros.parameters import validate

tf2_msgs = pytest.importorskip("tf2_msgs.msg", reason="tf2_msgs is not installed: a ROS distribution brings it")

SEEN = Intrinsics(224, 224, 200.0, 200.0, 111.5, 111.5)
WALL = np.full((112, 112), 2.0, np.float32)
NOW = 100.0
BODY = (0.5, -0.5, 0.5, -0.5)
"""An optical frame in a body frame."""

POINTS = np.array([[13.0, y / 5, z / 5] for y in range(-3, 4) for z in range(-3, 4)])
"""3 m before a robot that stands at x = 10 in the map."""


def test_points_of_the_map_are_anchors_where_tf_says_where_the_camera_is(robot):
    sources = AnchorSources(
        robot.subscriber,
        robot.node.count_publishers,
        validate({}),
        lambda: NOW,
        robot.node.get_logger(),
    )
    kept = QoSProfile(depth=10, durability=DurabilityPolicy.TRANSIENT_LOCAL)
    static = robot.other.create_publisher(tf2_msgs.TFMessage, "/tf_static", kept)
    static.publish(tf2_msgs.TFMessage(transforms=[transform_of("base", "eye", (0.0, 0.0, 0.0), BODY)]))
    moving = robot.other.create_publisher(tf2_msgs.TFMessage, "/tf", 10)
    cloud = cloud_of(xyz_of(POINTS))
    cloud.header.stamp = Time(sec=100)
    points = robot.publisher(sources._inputs["anchors"].subscriber.subscription)

    def anchored() -> bool:
        sources.keep_up()
        points.publish(cloud)
        moving.publish(tf2_msgs.TFMessage(transforms=[transform_of("map", "base", (10.0, 0.0, 0.0), sec=100)]))
        found = sources.measure("eye", NOW)
        return bool(found) and len(found(WALL, SEEN)) == 1

    robot.wait_for(anchored)
    (anchors,) = sources.measure("eye", NOW)(WALL, SEEN)
    np.testing.assert_allclose(anchors.depths, 3, rtol=1e-5)
    assert len(anchors.depths) == 49
