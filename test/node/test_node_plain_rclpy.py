"""The node with rclpy used the plain way: some tests of each kind once more.

``FASTDEPTH_PLAIN_RCLPY=1 pytest test/node`` runs all of them so.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import Graph
from test_node_answers import (  # noqa: F401
    direct,
    test_a_camera_that_is_calibrated_again_is_followed,
    test_an_image_that_waits_is_replaced_by_a_newer_one_and_counted,
    test_camera_info_is_that_of_the_depth_map,
    test_depth_keeps_the_stamp_and_the_frame_of_its_image,
    test_nothing_is_computed_without_subscribers,
    test_settings_take_hold_with_the_next_image,
)
from test_node_bad_input import (  # noqa: F401
    test_a_bad_image_is_named_and_the_next_good_one_answered,
    test_what_is_no_message_at_all_does_not_end_the_node,
)
from test_node_ending import test_the_last_report_says_that_the_node_ended  # noqa: F401
from test_node_lifecycle import test_without_autostart_the_node_waits_for_its_manager  # noqa: F401
from test_node_services import test_a_transition_that_is_not_allowed_is_answered_no  # noqa: F401

PLAIN = "FASTDEPTH_PLAIN_RCLPY"

if os.environ.get(PLAIN) == "1":
    pytest.skip("all tests run the plain way", allow_module_level=True)


@pytest.fixture(scope="module", autouse=True)
def plain() -> Iterator[None]:
    """The environment of this module's nodes."""
    os.environ[PLAIN] = "1"
    yield
    del os.environ[PLAIN]


def test_the_node_says_which_way_is_in_force(graph: Graph):
    graph.wait_until_it_says("node", DiagnosticStatus.OK, "active")
    assert graph.values("node")["rclpy"].startswith("plain, as FASTDEPTH_PLAIN_RCLPY wants it: rclpy ")
