"""Names of strangers in the graph that are no text keep nobody from telling the rest."""

from __future__ import annotations

from types import SimpleNamespace

from fastdepth_ros.diagnostics.graph import publishers_of, topics_of
from fastdepth_ros.node.qos import subscription_qos
from fastdepth_ros.node.topics import LatchedCameraInfo


class Garbled:
    """A node beside one that is called by bytes which are no text, as rclpy tells of it."""

    def get_publishers_info_by_topic(self, _topic):
        return [b"\xff\xfe\x1b[2J".decode()]

    def get_topic_names_and_types(self):
        return [(b"/\xff".decode(), [])]


def test_a_graph_with_a_name_that_is_no_text_is_outlived():
    assert publishers_of(Garbled(), "/image") is None
    assert topics_of(Garbled()) == []


def test_a_camera_info_that_was_published_once_is_looked_for_again_when_the_name_is_gone():
    node = Garbled()
    subscription = SimpleNamespace(
        qos_profile=subscription_qos(), topic_name="/camera_info", get_publisher_count=lambda: 1
    )
    latched = LatchedCameraInfo(node, SimpleNamespace(subscribe_latched=lambda *_: "second"), subscription)
    assert latched.find() is None
    latching = SimpleNamespace(qos_profile=SimpleNamespace(durability=subscription_qos().durability.TRANSIENT_LOCAL))
    node.get_publishers_info_by_topic = lambda _: [latching]
    assert latched.find() == "second"
