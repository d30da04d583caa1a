"""Gathers what the node knows of itself, and publishes it on /diagnostics."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.diagnostics.graph import publishers_of
from fastdepth_ros.diagnostics.levels import (
    LAST_CAMERA,
    NO_CAMERA,
    UNCORRECTED,
    InputTopic,
    calibration_status,
    inference_status,
    input_status,
    misfit_of,
    node_status,
    output_status,
)
from fastdepth_ros.diagnostics.messages import diagnostic_array
from fastdepth_ros.diagnostics.monitor import Report
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level, quoted, shortened
from fastdepth_ros.messages.camera_info import REMEDY
from fastdepth_ros.node.answers import Answers
from fastdepth_ros.node.camera_info import Calibration, CameraInfoListener
from fastdepth_ros.node.faults import MOST_KINDS
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.precision import Choice

FAREWELL = 0.5
"""Time that the last report may take on its way [s]."""

MOST_PUBLISHERS = 10
"""Publishers of one topic that are named."""


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
        self._watched: tuple[Any, Any, Mapping[str, Any]] | None = None

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

    def watch(self, image: Any, camera_info: Any, outputs: Mapping[str, Any]) -> None:
        """Report on these subscriptions and publishers, by the names of their outputs, until :meth:`forget`."""
        self._watched = (image, camera_info, outputs)

    def forget(self) -> None:
        """The subscriptions end."""
        self._watched = None

    def publish(self, doing: str, power: NodePower, answers: Answers | None, camera_info: CameraInfoListener) -> None:
        """Publish the statuses of now, and the figures among them as plain numbers.

        Args:
            doing: the lifecycle state, or what the node is busy with.
            power: of the node, with the parameters in force.
            answers: None where the node is not configured.
            camera_info: what was heard of the camera.
        """
        parameters = power.effective
        now = self._node.get_clock().now()
        about = {"model": parameters.model, "target": parameters.target, **self._about_node}
        stood = self._stands.seconds(now.nanoseconds)
        statuses = [node_status(doing, self.problem, about, now.nanoseconds == 0, stood, self._unknown, self._unheard)]
        report, measured = Report(), dict[str, float]()
        if self._watched is not None and answers is not None:
            report = answers.monitor.report(now.nanoseconds * 1e-9)
            statuses += self._active(report, power, answers, camera_info)
            about_anchors, measured = _anchoring(answers, now.nanoseconds * 1e-9)
            statuses.append(about_anchors)
        about_power, numbers = power.report(report)
        numbers |= measured
        values = {name: f"{value:.9g}" for name, value in numbers.items()}
        figures = Status(Level.OK, "", about="performance", values=values)
        for publisher, said in ((self._publisher, [*statuses, *about_power]), (self._performance, [figures])):
            publisher.publish(diagnostic_array(said, self._name, platform.node(), now.to_msg()))

    def flush(self) -> None:
        """Wait until whoever listens has got the last report; not for long."""
        self._publisher.wait_for_all_acked(Duration(seconds=FAREWELL))

    def _active(
        self, report: Report, power: NodePower, answers: Answers, camera_info: CameraInfoListener
    ) -> list[Status]:
        parameters = power.effective
        assert self._watched is not None
        image, camera_infos, outputs = self._watched
        camera, calibration = self._source(camera_infos), camera_info.calibration
        facts = {
            **self._facts,
            "threads": str(answers.threads),
            "max_rate [Hz]": f"{parameters.max_rate:g}",
            **answers.notes,
        }
        return [
            input_status(
                report, replace(self._source(image), picture=_picture(answers, calibration)), parameters.stale_after
            ),
            calibration_status(
                camera,
                *_of_camera(calibration, camera_info.problem, answers.size_problem, camera),
            ),
            inference_status(report, facts),
            output_status(
                report,
                {publisher.topic_name: publisher.get_subscription_count() for publisher in outputs.values()},
                power.age_budget,
                {
                    outputs[name].topic_name: problem
                    for name, problem in answers.derived.problems.items()
                    if outputs[name].get_subscription_count()
                },
            ),
        ]

    def _source(self, subscription: Any) -> InputTopic:
        ours, kind = subscription.qos_profile, _type_name(subscription.msg_type)
        publishers = publishers_of(self._node, subscription.topic_name)
        if publishers is None:
            count = self._node.count_publishers(subscription.topic_name)
            unknown = ["not told: one has a name that is no text"] * count
            return InputTopic(subscription.topic_name, _qos(ours), unknown, count, kind)
        same = [each for each in publishers if each.topic_type == kind]
        fits = [qos_check_compatible(each.qos_profile, ours) for each in same]
        return InputTopic(
            subscription.topic_name,
            _qos(ours),
            [f"{_name(each)} ({_qos(each.qos_profile)})" for each in publishers[:MOST_PUBLISHERS]],
            sum(fit != QoSCompatibility.ERROR for fit, _ in fits),
            kind,
            sorted({each.topic_type for each in publishers} - {kind})[:MOST_PUBLISHERS],
            next((reason for fit, reason in fits if fit == QoSCompatibility.ERROR), ""),
        )


def _name(publisher: Any) -> str:
    return f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"


def _type_name(message: Any) -> str:
    """The name of a message's type as the graph has it: sensor_msgs/msg/Image."""
    package, kind = message.__module__.split(".")[:2]
    return f"{package}/{kind}/{message.__name__}"


def _anchoring(answers: Answers, now: float) -> tuple[Status, dict[str, float]]:
    anchors = answers.anchors
    if anchors is None:
        return Status(Level.OK, "off: depth is the network's own", about="anchoring"), {}
    return anchors.report(now)


def _qos(profile: QoSProfile) -> str:
    words = f"{profile.reliability.name} {profile.durability.name}".lower().replace("_", " ")
    # What DDS tells of other participants does not include the depth of their history.
    return f"{words}, depth {profile.depth}" if profile.depth else words


def _picture(answers: Answers, calibration: Calibration | None) -> int:
    """Size of the camera's pictures [B], of which perhaps none came: then as rgb8, by camera_info; 0 if not known."""
    if answers.picture_bytes or calibration is None or answers.parameters.image_transport != "raw":
        return answers.picture_bytes
    camera = calibration.camera
    return 3 * camera.width * camera.height


def _of_camera(
    calibration: Calibration | None, problem: str, size_problem: str, source: InputTopic
) -> tuple[str, str, str]:
    """Say what is wrong with the camera that is in force, that camera in words, and what follows."""
    if calibration is None:
        return problem or _no_camera(source), "", NO_CAMERA
    words = _in_words(calibration.camera)
    if calibration.source:
        words += f", from {shortened(calibration.source)}"
    if calibration.lens is not None:
        words += f", rectified from {calibration.lens.distortion.model}"
    if size_problem:
        return size_problem, words, NO_CAMERA
    if problem:
        return problem, words, LAST_CAMERA
    if calibration.camera.doubt:
        return f"{calibration.camera.doubt}. {REMEDY}", words, UNCORRECTED
    return calibration.distortion, words, ""


def _no_camera(source: InputTopic) -> str:
    if misfit := misfit_of(source, "camera_info"):
        return misfit
    if source.publishers:
        return f"no camera_info came on {source.topic} yet. Check that the driver has a calibration."
    return f"{source.topic} has no publisher. Start the driver with a calibration, or remap `camera_info`."


def _in_words(camera: Intrinsics) -> str:
    numbers = ", ".join(f"{name} {getattr(camera, name):.1f}" for name in ("fx", "fy", "cx", "cy"))
    return f"{camera.width}x{camera.height}, {numbers}"
