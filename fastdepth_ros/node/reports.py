"""Gathers what the node knows of itself, and publishes it on /diagnostics."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.time import Time

from fastdepth_ros.diagnostics.levels import node_status
from fastdepth_ros.diagnostics.messages import diagnostic_array
from fastdepth_ros.diagnostics.monitor import Report, report_together
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level, quoted, shortened
from fastdepth_ros.node.camera_report import CameraReport
from fastdepth_ros.node.faults import MOST_KINDS
from fastdepth_ros.node.one_camera import OneCamera
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.precision import Choice

FAREWELL = 0.5
"""Time that the last report may take on its way [s]."""


class Standstill:
    """Tells for how long a clock has stood still."""

    def __init__(self) -> None:
        self._time, self._since = -1, time.monotonic()

    def seconds(self, now: int) -> float:
        """So long [s]; 0 where it goes on. ``now`` [ns] is by the clock."""
        if now != self._time:
            self._time, self._since = now, time.monotonic()
        return time.monotonic() - self._since


class Reporter:
    """Publishes the node's statuses.

    Args:
        node: of which it reports.
        facts: that do not change, for the status ``node``.

    Attributes:
        problem: why the node is not configured; empty if nothing is wrong.
    """

    def __init__(self, node: Node, facts: Mapping[str, str]) -> None:
        self.problem = ""
        self._unknown: Mapping[str, str | None] = {}
        self._unheard: list[str] = []
        self._named: set[str] = set()
        self._stands = Standstill()
        self._node = node
        self._about_node = facts
        self._name = node.get_fully_qualified_name().lstrip("/")
        self._publisher = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._performance = node.create_publisher(DiagnosticArray, "~/performance", 10)
        self._facts: dict[str, str] = {}

    def about(self, manifest: Manifest, engine: Engine, choice: Choice) -> None:
        """Take down which model runs on what, and why in that precision."""
        self._facts = {
            "model": f"{manifest.name} ({manifest.network.name})",
            "target": engine.module.description.target,
            "precision": engine.module.description.precision,
            "why this precision": choice.reason,
            "processor": processor.name(),
        }

    def name_unknown(self, unknown: Mapping[str, str | None]) -> None:
        """Report parameters that were given and are not known, each with the one that was meant, and log them once."""
        self._unknown = unknown
        for name in sorted(set(unknown) - self._named)[:MOST_KINDS]:
            self._named.add(name)
            meant = f" Was {unknown[name]} meant?" if unknown[name] else ""
            self._node.get_logger().warning(f"there is no parameter {quoted(name)}, which was given at start.{meant}")

    def name_unheard(self, files: Mapping[str, Sequence[str]]) -> None:
        """Report parameter files that were given and hold nothing for this node, each with the names in it."""
        for path, names in files.items():
            others = ", ".join(shortened(name) for name in names[:MOST_KINDS])
            words = f"{path} has parameters of {others}, and none of /{self._name}"
            self._unheard.append(words)
            self._node.get_logger().warning(words)

    def publish(self, doing: str, power: NodePower, cameras: Sequence[OneCamera]) -> None:
        """Publish the statuses of now, and the figures among them as plain numbers; nothing that nobody reads.

        Args:
            doing: the lifecycle state, or what the node is busy with.
            power: of the node, with the parameters in force.
            cameras: of the node; those that are active have statuses of their own.
        """
        readers = [each.get_subscription_count() for each in (self._publisher, self._performance)]
        if not any(readers):
            return
        parameters = power.effective
        now = self._node.get_clock().now()
        about = {"model": parameters.model, "target": parameters.target, **self._about_node}
        stood = self._stands.seconds(now.nanoseconds)
        statuses = [node_status(doing, self.problem, about, now.nanoseconds == 0, stood, self._unknown, self._unheard)]
        report, measured = self._cameras(statuses, power, cameras, now.nanoseconds * 1e-9)
        about_power, numbers = power.report(report)
        if readers[0]:
            self._say(self._publisher, [*statuses, *about_power], now)
        if readers[1]:
            values = {name: f"{value:.9g}" for name, value in (numbers | measured).items()}
            self._say(self._performance, [Status(Level.OK, "", about="performance", values=values)], now)

    def _say(self, publisher: Publisher, statuses: Sequence[Status], now: Time) -> None:
        publisher.publish(diagnostic_array(statuses, self._name, platform.node(), now.to_msg()))

    def _cameras(
        self, statuses: list[Status], power: NodePower, cameras: Sequence[OneCamera], now: float
    ) -> tuple[Report, dict[str, float]]:
        """Add the statuses of the cameras that are active; the report of all of them, and figures of each."""
        measured: dict[str, float] = {}
        found = [CameraReport(self._node, each, now) for each in cameras if each.answers and each.active]
        for each in found:
            said, numbers = each.statuses(self._facts, power.age_budget)
            statuses += said
            measured |= numbers
        if len(found) > 1:
            return report_together([each.answers.monitor for each in cameras if each.answers], now), measured
        return found[0].report if found else Report(), measured

    def flush(self) -> None:
        """Wait until whoever listens has got the last report; not for long."""
        self._publisher.wait_for_all_acked(Duration(seconds=FAREWELL))
