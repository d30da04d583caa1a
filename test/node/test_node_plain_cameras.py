"""Several cameras with rclpy used the plain way: the tests that tell of images and parameters once more."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from test_node_cameras import (  # noqa: F401
    calibrated,
    direct,
    front,
    graph,
    rear,
    test_a_camera_that_is_silent_holds_up_nobody_and_is_named,
    test_a_camera_that_sends_fast_does_not_starve_the_others,
    test_a_camera_without_a_value_of_its_own_has_the_plain_one,
    test_each_camera_is_answered_under_its_own_stamp_frame_and_calibration,
)

PLAIN = "FASTDEPTH_PLAIN_RCLPY"

if os.environ.get(PLAIN) == "1":
    pytest.skip("all tests run the plain way", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def plain() -> Iterator[None]:
    """The environment of this module's nodes."""
    os.environ[PLAIN] = "1"
    yield
    del os.environ[PLAIN]


def test_the_node_of_several_cameras_is_used_the_plain_way(graph):  # noqa: F811
    graph.wait_until_it_says("node", DiagnosticStatus.OK, "active")
    assert graph.values("node")["rclpy"].startswith("plain, as FASTDEPTH_PLAIN_RCLPY wants it: rclpy ")
