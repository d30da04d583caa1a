"""What is wrong between the node and the camera driver is named; what can be heard is heard."""

from __future__ import annotations

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticStatus
from node_graph import camera_info_of, image_of
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from slowly import again, mostly_again
from std_msgs.msg import String

GREY = np.full((48, 64, 3), 128, np.uint8)
LATCHED = QoSProfile(depth=1, reliability=ReliabilityPolicy.RELIABLE, durability=DurabilityPolicy.TRANSIENT_LOCAL)


@pytest.mark.parametrize(
    ("transport", "kind", "words"),
    [
        ("raw", CompressedImage, ["sensor_msgs/msg/CompressedImage", "image_transport to compressed"]),
        again("compressed", Image, ["sensor_msgs/msg/Image", "image_transport to raw"]),
        again("raw", String, ["std_msgs/msg/String", "sensor_msgs/msg/Image", "Remap"]),
    ],
)
def test_a_topic_of_another_type_is_named(start, transport, kind, words):
    topic = f"/clash_{transport}_{kind.__name__.lower()}/compressed"
    graph = start("--ros-args", "-r", f"image:={topic}", stale_after=0.5, image_transport=transport)
    graph.node.create_publisher(kind, topic, 1)
    graph.wait_for(lambda: all(word in said(graph, "input") for word in words), f"{words} in diagnostics")
    graph.end()


def test_a_camera_info_of_another_type_is_named(start):
    graph = start("--ros-args", "-r", "camera_info:=/clash/camera_info")
    graph.node.create_publisher(String, "/clash/camera_info", 1)
    words = ["std_msgs/msg/String", "sensor_msgs/msg/CameraInfo", "`camera_info`"]
    graph.wait_for(lambda: all(word in said(graph, "calibration") for word in words), f"{words} in diagnostics")
    graph.end()


@pytest.mark.parametrize("late", mostly_again([False, True]), ids=["before the node starts", "while it runs"])
def test_a_camera_info_that_was_published_once_is_heard(start, late):
    topic = f"/latched_{late}/camera_info"
    graph = start("--ros-args", "-r", f"camera_info:={topic}") if late else None
    if graph is None:
        import rclpy

        node = rclpy.create_node("driver")
    else:
        node = graph.node
    publisher = node.create_publisher(CameraInfo, topic, LATCHED)
    publisher.publish(camera_info_of(64, 48))
    graph = graph or start("--ros-args", "-r", f"camera_info:={topic}")
    graph.wait_for(lambda: graph.says("calibration", DiagnosticStatus.OK, "64x48"), "the camera to be known")
    graph.ask(image_of(GREY, graph.header()), "depth", "camera_info")
    assert graph.change("deactivate")
    assert graph.change("activate")
    graph.ask(image_of(GREY, graph.header()), "depth", "camera_info")
    graph.end()
    if not late:
        node.destroy_node()


def test_an_override_of_durability_is_heeded(start):
    namespace = "/durable"
    override = f"qos_overrides.{namespace}/camera_info.subscription.durability:=transient_local"
    graph = start("--ros-args", "-p", override, namespace=namespace)
    publisher = graph.node.create_publisher(CameraInfo, "camera_info", LATCHED)
    publisher.publish(camera_info_of(64, 48))
    graph.wait_for(lambda: graph.says("calibration", DiagnosticStatus.OK, "64x48"), "the camera to be known")
    assert "parameters that there are not" not in graph.values("node")
    # A best-effort end gets once what was before, and misses it where it is not ready yet: a reliable one asks for it.

    def ends() -> list[DurabilityPolicy]:
        found = [end.qos_profile for end in graph.node.get_subscriptions_info_by_topic(f"{namespace}/camera_info")]
        return [qos.durability for qos in found if qos.reliability == ReliabilityPolicy.RELIABLE]

    graph.wait_for(lambda: ends() == [DurabilityPolicy.TRANSIENT_LOCAL], "a reliable end")
    graph.end()


@pytest.mark.again
def test_two_cameras_on_one_topic_are_named_and_cost_no_memory(start):
    graph = start()
    graph.read("depth")
    big = np.zeros((1200, 1600, 3), np.uint8)

    def size() -> int:
        with open(f"/proc/{graph.process.pid}/statm") as file:
            return int(file.read().split()[1]) * 4096

    def show(count: int) -> None:
        for i in range(count):
            graph.ask(image_of(big, graph.header(("front", "rear")[i % 2])), "depth")

    assert graph.set("output_size", "camera")[0]
    show(6)
    before = size()
    show(30)
    assert size() - before < 100 << 20
    graph.wait_for(lambda: graph.says("input", DiagnosticStatus.WARN, "two cameras", "front", "rear"), "the warning")
    graph.end()


def test_stamps_of_another_clock_are_named_so(graph):
    image = image_of(GREY, graph.header())
    image.header.stamp.sec = -(2**31)
    for _ in range(3):
        image.header.stamp.nanosec += 1
        graph.ask(image, "depth")
    graph.wait_for(lambda: graph.says("outputs", DiagnosticStatus.WARN, "another clock"), "the warning")
    assert "ms old" not in graph.statuses["outputs"].message, "a number that is no age"
    graph.wait_for(lambda: "another clock" in graph.values("budget")["age p95 [ms]"], "the same of the budget")


def test_a_name_without_end_does_not_fill_the_diagnostics(graph):
    graph.read("depth")
    for i in range(6):
        image = image_of(GREY, graph.header("frame" * 100_000 + str(i % 2)), encoding="x" * 1_000_000)
        graph.show(image)
    graph.next_reports()
    for status in graph.statuses.values():
        assert len(status.message) < 2500
        assert all(len(pair.value) < 2500 for pair in status.values)


def said(graph, part: str) -> str:
    status = graph.statuses.get(part)
    return status.message if status else ""
