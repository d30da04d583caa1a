"""The test's side of one of several cameras: its driver, and a reader of its depth."""

from __future__ import annotations

import time
from typing import Any

from node_graph import PATIENCE, TOPICS, UNHEARD, Graph
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, Image

AGAIN = 0.5
"""Seconds after which an image that is not answered is published once more."""


class Camera:
    """A camera of a node's graph, by its name."""

    def __init__(self, graph: Graph, name: str, *outputs: str) -> None:
        self.graph, self.name = graph, name
        best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.images = graph.node.create_publisher(Image, f"{name}/image_raw", best_effort)
        self.infos = graph.node.create_publisher(CameraInfo, f"{name}/camera_info", best_effort)
        self.heard: dict[str, list[Any]] = {output: [] for output in outputs}
        for output, heard in self.heard.items():
            kind, topic = TOPICS[output]
            graph.node.create_subscription(kind, f"{name}/{topic}", heard.append, 10)

    def values(self, part: str) -> dict[str, str]:
        return self.graph.values(f"{self.name} {part}")

    def calibrate(self, info: CameraInfo) -> None:
        """Publish camera_info until the node has got it."""

        def got() -> bool:
            self.infos.publish(info)
            self.graph.spin(0.05)
            said = self.graph.statuses.get(f"{self.name} calibration")
            return said is not None and not any(words in said.message for words in (*UNHEARD, "waiting"))

        self.graph.wait_for(got, f"camera_info of {self.name} to be heard")

    def answers(self, image: Image) -> tuple[Any, ...]:
        """Answers to an image that were heard, one of each output that is read; None where one is missing."""
        found = (next((each for each in heard if each.header == image.header), None) for heard in self.heard.values())
        return tuple(found)


def ask(shown: list[tuple[Camera, Image]]) -> list[tuple[Any, ...]]:
    """Have cameras publish an image each, at the same time, until every one is answered on all that is read of it."""
    graph = shown[0][0].graph
    again = 0.0

    def answered() -> bool:
        nonlocal again
        missing = [(camera, image) for camera, image in shown if not all(camera.answers(image))]
        if missing and time.monotonic() > again:
            again = time.monotonic() + AGAIN
            for camera, image in missing:
                camera.images.publish(image)
        return not missing

    names = ", ".join(camera.name for camera, _ in shown)
    graph.wait_for(answered, f"answers of {names}", 2 * PATIENCE)
    return [camera.answers(image) for camera, image in shown]
