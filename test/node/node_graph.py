"""The test's side of the ROS graph: a camera, readers, and the tools of an operator, all in plain rclpy."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from nursery import Copy
from rcl_interfaces.srv import DescribeParameters, GetParameters, SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.parameter import Parameter
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from fastdepth_ros.messages.output_topics import OUTPUT_TOPICS

PATIENCE = 30.0
ANSWER_LOST = 4.0
REPORTS_KEPT = 10
TOPICS = {output.name: (output.message, output.topic) for output in OUTPUT_TOPICS}
TRANSITIONS = {
    "configure": Transition.TRANSITION_CONFIGURE,
    "activate": Transition.TRANSITION_ACTIVATE,
    "deactivate": Transition.TRANSITION_DEACTIVATE,
    "cleanup": Transition.TRANSITION_CLEANUP,
    "shutdown": Transition.TRANSITION_INACTIVE_SHUTDOWN,
}


UNHEARD = ("no camera_info came", "has no publisher")
"""What the node says of a calibration that has not reached it: its ends may find each other seconds later."""


class Graph:
    """What a test does to one node, and what it hears of it."""

    def __init__(self, namespace: str, process: subprocess.Popen | Copy, log: Path) -> None:
        self.namespace = namespace
        self.process = process
        self.closed = False
        self.log = log
        self.node = rclpy.create_node("test", namespace=namespace)
        self.executor = SingleThreadedExecutor()
        self.executor.add_node(self.node)
        best_effort = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
        self.images = self.node.create_publisher(Image, "image", best_effort)
        self.compressed = self.node.create_publisher(CompressedImage, "image/compressed", best_effort)
        self.camera_infos = self.node.create_publisher(CameraInfo, "camera_info", best_effort)
        self.heard: dict[str, list[Any]] = {name: [] for name in TOPICS}
        self.readers: dict[str, Any] = {}
        self.statuses: dict[str, DiagnosticStatus] = {}
        self.reports = 0
        self.reported = 0
        """When the latest diagnostics were made, in the node's clock [ns]."""
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, REPORTS_KEPT)

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            self.executor.shutdown()
            self.node.destroy_node()

    def end(self) -> None:
        """End the node before its module does: as Ctrl-C would."""
        self.close()
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(PATIENCE) == 0, self.log.read_text()

    # Hearing

    def read(self, *names: str) -> None:
        """Subscribe to these outputs of the node, and to no others."""
        for name, reader in list(self.readers.items()):
            if name not in names:
                self.node.destroy_subscription(reader)
                del self.readers[name]
        for name in names:
            if name not in self.readers:
                kind, topic = TOPICS[name]
                self.readers[name] = self.node.create_subscription(kind, topic, self.heard[name].append, 10)
        for heard in self.heard.values():
            heard.clear()
        self.wait_for(lambda: self.subscribers() == set(names), f"the node to see readers of {names}")

    def subscribers(self) -> set[str]:
        """Outputs to which the node says that somebody subscribes."""
        values = self.values("outputs")
        topics = {f"{self.namespace}/{topic}": name for name, (_, topic) in TOPICS.items()}
        return {name for topic, name in topics.items() if int(values.get(f"subscribers of {topic}", 0))}

    def _on_diagnostics(self, message: DiagnosticArray) -> None:
        own = f"{self.namespace.lstrip('/')}/fastdepth: "
        statuses = {status.name.removeprefix(own): status for status in message.status if status.name.startswith(own)}
        if statuses:
            self.statuses = statuses
            self.reports += 1
            self.reported = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec

    @property
    def doing(self) -> str:
        return self.values("node").get("state", "")

    def values(self, part: str) -> dict[str, str]:
        status = self.statuses.get(part)
        return {pair.key: pair.value for pair in status.values} if status else {}

    def says(self, part: str, level: bytes, *words: str) -> bool:
        status = self.statuses.get(part)
        return status is not None and status.level == level and all(word in status.message for word in words)

    # Waiting

    def spin(self, seconds: float = 0.01) -> None:
        self.executor.spin_once(timeout_sec=seconds)

    def wait_for(self, condition: Callable[[], object], what: str, patience: float = PATIENCE + 1) -> None:
        end = time.monotonic() + patience
        while not condition():
            self.spin(0.05)
            ended = self.process.poll()
            if ended is not None or time.monotonic() > end:
                raise AssertionError(f"waited for {what}; {self.state_of_things()}")

    def wait_until_it_says(self, part: str, level: bytes, *words: str) -> None:
        self.wait_for(lambda: self.says(part, level, *words), f"{words} of {part}")

    def _catch_up(self) -> None:
        """Hear what came while nobody listened: reports of before, which a test that was held up takes for new."""
        for _ in range(3 * REPORTS_KEPT):
            self.spin(0)

    def state_of_things(self) -> str:
        """What can be known of the node from outside, for whoever has waited in vain."""
        ended = self.process.poll()
        said = {
            name: (each.message, {pair.key: pair.value for pair in each.values}) for name, each in self.statuses.items()
        }
        return (
            f"process {'runs' if ended is None else f'ended with {ended}'}; reports: {self.reports}, {said};"
            f" heard: { {name: len(heard) for name, heard in self.heard.items()} }; log:\n{self.log.read_text()}"
        )

    def next_reports(self, count: int = 2) -> None:
        """Wait for diagnostics that are made from now on."""
        self._catch_up()
        target = self.reports + count
        self.wait_for(lambda: self.reports >= target, "diagnostics")

    # Seeing

    def header(self, frame: str = "eye") -> Header:
        return Header(stamp=self.node.get_clock().now().to_msg(), frame_id=frame)

    def calibrate(self, info: CameraInfo) -> None:
        """Publish camera_info until the node has got it: it names the camera, or what is wrong with it."""
        self._catch_up()
        before = self.reports

        def got() -> bool:
            self.camera_infos.publish(info)
            self.spin(0.05)
            said = self.statuses.get("calibration")
            unheard = said is not None and any(words in said.message for words in UNHEARD)
            return self.reports >= before + 3 and not unheard

        self.wait_for(got, "camera_info to be heard")

    def ask(self, image: Image | CompressedImage, *outputs: str, besides: tuple[str, ...] = ()) -> tuple[Any, ...]:
        """Publish an image until the outputs with its stamp have come; others may be read besides.

        The first ones are lost while publisher and subscription find each other.
        """
        self.read(*outputs, *besides)
        publisher = self.images if isinstance(image, Image) else self.compressed
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            publisher.publish(image)
            again = time.monotonic() + 0.5
            while time.monotonic() < again:
                self.spin(0.05)
                found = [next((m for m in self.heard[o] if m.header == image.header), None) for o in outputs]
                if all(found):
                    return tuple(found)
        raise AssertionError(f"no {outputs} for the image; {self.state_of_things()}")

    def show(self, *images: Image | CompressedImage) -> None:
        """Publish images that need no answer, until the node counted as many."""
        self._catch_up()
        for image in images:
            publisher = self.images if isinstance(image, Image) else self.compressed
            before = int(self.values("input").get("images", 0))
            while int(self.values("input").get("images", 0)) <= before:
                publisher.publish(image)
                self.next_reports(1)

    # Operating

    def call(self, kind: type, service: str, request: Any, again: bool = True) -> Any:
        """Ask a service of the node; where DDS lost the answer, ask again, unless that would do something twice.

        A client of its own for each time: what stands between one client and the node stays between them.
        """
        asked = time.monotonic()
        patience = ANSWER_LOST if again else PATIENCE
        while True:
            client = self.node.create_client(kind, f"fastdepth/{service}")
            try:
                self.wait_for(client.service_is_ready, f"the service {service}")
                answer, end = client.call_async(request), time.monotonic() + patience
                self.wait_for(lambda answer=answer, end=end: answer.done() or time.monotonic() > end, "time to pass")
                if answer.done():
                    return answer.result()
            finally:
                self.node.destroy_client(client)
            if time.monotonic() > asked + 2 * PATIENCE:
                raise AssertionError(f"{service} does not answer; log:\n{self.log.read_text()}")

    def set(self, name: str, value: Any) -> tuple[bool, str]:
        request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
        result = self.call(SetParameters, "set_parameters", request).results[0]
        return result.successful, result.reason

    def get(self, name: str) -> Any:
        message = self.call(GetParameters, "get_parameters", GetParameters.Request(names=[name])).values[0]
        return rclpy.parameter.parameter_value_to_python(message)

    def describe(self, name: str) -> Any:
        request = DescribeParameters.Request(names=[name])
        return self.call(DescribeParameters, "describe_parameters", request).descriptors[0]

    def change(self, transition: str) -> bool:
        request = ChangeState.Request(transition=Transition(id=TRANSITIONS[transition]))
        return bool(self.call(ChangeState, "change_state", request, again=False).success)

    @property
    def state(self) -> str:
        return str(self.call(GetState, "get_state", GetState.Request()).current_state.label)


def image_of(pixels: np.ndarray, header: Header, encoding: str = "rgb8", padding: int = 0) -> Image:
    """An image message of (height, width, channels) or (height, width) pixels."""
    rows = np.ascontiguousarray(pixels).view(np.uint8).reshape(len(pixels), -1)
    rows = np.hstack((rows, np.zeros((len(rows), padding), np.uint8)))
    message = Image(header=header, encoding=encoding, height=pixels.shape[0], width=pixels.shape[1], step=rows.shape[1])
    message.data.frombytes(rows.tobytes())
    return message


def camera_info_of(columns: int, rows: int, focal: float = 0.0, **fields: Any) -> CameraInfo:
    """The camera_info of an ideal camera, which sees 63 degrees where no focal length is given."""
    focal = focal or 525.0 * columns / 640
    ideal = {
        "width": columns,
        "height": rows,
        "distortion_model": "plumb_bob",
        "d": [0.0] * 5,
        "k": [focal, 0.0, (columns - 1) / 2, 0.0, focal, (rows - 1) / 2, 0.0, 0.0, 1.0],
    }
    return CameraInfo(**{**ideal, **fields})


def depth_of(message: Image) -> np.ndarray:
    """Depth as (height, width) in the encoding's own unit."""
    kind = {"32FC1": np.float32, "16UC1": np.uint16}[message.encoding]
    return np.frombuffer(message.data, kind).reshape(message.height, message.width)
