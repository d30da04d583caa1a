"""Overrides of QoS that are none are refused with what is allowed, and are no fault of the node."""

from __future__ import annotations

import os

import pytest
import rclpy
from rclpy.context import Context
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image

from fastdepth_ros.errors import SettingError
from fastdepth_ros.node.qos import qos_override, subscription_qos

DOMAIN = 51 + os.getpid() % 50


@pytest.fixture(scope="module")
def context():
    context = Context()
    rclpy.init(context=context, domain_id=DOMAIN)
    yield context
    rclpy.shutdown(context=context)


@pytest.mark.parametrize(
    ("policy", "value"),
    [
        ("depth", -1),
        ("depth", 2**40),
        ("depth", 2**62),
        ("depth", "ten"),
        ("depth", 1.5),
        ("history", "keep_none"),
        ("reliability", True),
        ("durability", ""),
    ],
)
def test_an_override_that_is_none_is_refused(context, policy, value):
    given = [Parameter(f"qos_overrides./image.subscription.{policy}", value=value)]
    node = rclpy.create_node("overridden", context=context, parameter_overrides=given)
    with pytest.raises(SettingError, match="a qos_override of image is not allowed"), qos_override("image") as options:
        node.create_subscription(Image, "image", print, subscription_qos(), qos_overriding_options=options)
    node.destroy_node()
