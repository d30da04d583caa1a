"""The other end of the node's topics: hears answers and diagnostics, and writes them into a recording."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import State
from lifecycle_msgs.srv import GetState

from fastdepth_ros import cdr
from fastdepth_ros.demo.results import Answer, NodeReport, read_counts, read_stages
from fastdepth_ros.diagnostics.messages import read_statuses
from fastdepth_ros.errors import Level
from fastdepth_ros.harness.bystander import Bystander
from fastdepth_ros.messages.output_topics import DEMO, OUTPUT_TOPICS
from fastdepth_ros.recording.writer import RecordingWriter

NODE = "fastdepth"
"""Name of depth_node in the graph."""

KEEP = 10
"""Answers that DDS keeps for the client until it takes them."""

OUTPUTS = tuple(output for output in OUTPUT_TOPICS if DEMO in output.readers)
"""Topics that the demo records."""

DEPTH = next(f"/{output.topic}" for output in OUTPUTS if output.name == "depth")
UNCERTAINTY = next(f"/{output.topic}" for output in OUTPUTS if output.name == "uncertainty")


class DemoClient(Bystander):
    """Subscriptions of the demo.

    Args:
        writer: takes what is heard, once :attr:`recording` is set.
        cloud: whether to listen to the cloud; the node makes none where nobody does.
        uncertainty: whether to listen to the uncertainty; likewise.

    Attributes:
        answers: the depth images so far.
        reports: what the node said on /diagnostics so far.
        complaint: what the node says is wrong with itself; empty if nothing is.
        anchoring: what it said of measured depths last; empty before.
        recording: whether to write down what is heard.
        begin: the least stamp of answers that are written down [ns]: late ones to images before are of the warming up.
    """

    def __init__(self, writer: RecordingWriter, cloud: bool, uncertainty: bool = False) -> None:
        super().__init__("fastdepth_demo")
        self.answers: list[Answer] = []
        self.reports: list[NodeReport] = []
        self.complaint = self.anchoring = ""
        self.recording = False
        self.begin = 0
        self._writer = writer
        self._changed = threading.Condition()
        self._state = self.node.create_client(GetState, f"/{NODE}/get_state")
        wanted = {"cloud": cloud, "uncertainty": uncertainty}
        # Of messages that wait, rclpy gives out those of the first subscription first: depth, whose age is told.
        for output in sorted(OUTPUTS, key=lambda output: output.name != "depth"):
            if wanted.get(output.name, True):
                self._listen(f"/{output.topic}", output.message)
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, KEEP, raw=True)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until something was heard that makes ``condition`` true, and return whether it came so far."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def node_is_active(self) -> bool:
        """Ask the node for its lifecycle state; False also where it does not answer yet."""
        if not self._state.service_is_ready():
            return False
        future = self._state.call_async(GetState.Request())
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        if not done.wait(2.0):
            self._state.remove_pending_request(future)
            return False
        response = future.result()
        return response is not None and response.current_state.id == State.PRIMARY_STATE_ACTIVE

    def _listen(self, topic: str, kind: Any) -> None:
        name = f"sensor_msgs/msg/{kind.__name__}"

        def hear(data: bytes) -> None:
            now = self.node.get_clock().now().nanoseconds
            try:
                stamp, frame = cdr.stamp_of(data), cdr.frame_of(data)
            except ValueError:  # anybody may publish there
                return
            if topic == DEPTH:
                with self._changed:
                    self.answers.append(Answer(stamp, frame, now))
                    self._changed.notify_all()
            if self.recording and stamp >= self.begin:
                self._writer.write(topic, name, now, data)

        self.node.create_subscription(kind, topic, hear, KEEP, raw=True)

    def _on_diagnostics(self, data: bytes) -> None:
        now = self.node.get_clock().now().nanoseconds
        try:
            statuses = read_statuses(data)
        except ValueError:  # anybody may publish there
            return
        pairs: list[tuple[str, str]] = []
        for name, status in statuses:
            if name != NODE:
                continue
            pairs += status.values.items()
            if status.about == "node":
                self.complaint = status.message if status.level is Level.ERROR else ""
            if status.about == "anchoring":
                self.anchoring = status.message
        with self._changed:
            self.reports.append(NodeReport(now, read_stages(pairs), read_counts(pairs)))
            self._changed.notify_all()
        if self.recording:
            self._writer.write("/diagnostics", "diagnostic_msgs/msg/DiagnosticArray", now, data)
