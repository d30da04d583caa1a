"""Statuses of one camera of the node: its input, its calibration, its answers, and what anchors them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.cameras import IMAGE
from fastdepth_ros.diagnostics.graph import publishers_of
from fastdepth_ros.diagnostics.inputs import InputTopic, input_status, misfit_of
from fastdepth_ros.diagnostics.levels import (
    LAST_CAMERA,
    NO_CAMERA,
    UNCORRECTED,
    calibration_status,
    inference_status,
    output_status,
)
from fastdepth_ros.diagnostics.power import figures
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level, brief, quoted
from fastdepth_ros.messages.camera_info import REMEDY
from fastdepth_ros.node.answers import Answers
from fastdepth_ros.node.camera_info import Calibration, CameraInfoListener
from fastdepth_ros.node.one_camera import OneCamera

MOST_PUBLISHERS = 10
"""Publishers of one topic that are named."""


class CameraReport:
    """Reports on a camera of an active node, in the executor's thread.

    Args:
        node: of which it reports.
        camera: that is active.
        now: the time in the node's clock [s].
    """

    def __init__(self, node: Node, camera: OneCamera, now: float) -> None:
        assert camera.answers is not None
        assert camera.active is not None
        self._node = node
        self._camera = camera
        self._now = now
        self._answers, self._active = camera.answers, camera.active
        self._below = f"{camera.name}/" if camera.name else ""
        self.report = self._answers.monitor.report(now)

    def statuses(self, facts: Mapping[str, str], age_budget: float | None) -> tuple[list[Status], dict[str, float]]:
        """Its statuses, each called by the camera's name, and figures as plain numbers, likewise.

        Args:
            facts: of the engine.
            age_budget: p95 of the age that the power profile allows [s]; None where it says nothing.
        """
        anchors, name = self._answers.anchors, self._camera.name
        off = Status(Level.OK, "off: depth is the network's own", about="anchoring")
        anchoring, numbers = anchors.report(self._now) if anchors is not None else (off, {})
        statuses = [*self._own(facts, age_budget), anchoring]
        if not name:
            return statuses, numbers
        numbers = {f"{name}.{number}": value for number, value in {**figures(self.report), **numbers}.items()}
        return [replace(status, about=f"{name} {status.about}") for status in statuses], numbers

    def _own(self, facts: Mapping[str, str], age_budget: float | None) -> list[Status]:
        answers, report, outputs = self._answers, self.report, self._camera.publications
        parameters, calibration = self._camera.effective, self._camera.info.calibration
        image = self._source(self._active.image, IMAGE if self._below else "image")
        camera = self._source(self._active.camera_info, "camera_info")
        facts = {
            **facts,
            "threads": str(answers.threads),
            "max_rate [Hz]": f"{parameters.max_rate:g}",
            **answers.notes,
        }
        return [
            input_status(report, replace(image, picture=_picture(answers, calibration)), parameters.stale_after),
            calibration_status(
                camera,
                *_of_camera(calibration, self._camera.info, answers.size_problem, camera, answers.frame_id),
            ),
            inference_status(report, facts),
            output_status(
                report,
                {publisher.topic_name: publisher.get_subscription_count() for publisher in outputs.values()},
                age_budget,
                {
                    outputs[name].topic_name: problem
                    for name, problem in answers.derived.problems.items()
                    if outputs[name].get_subscription_count()
                },
            ),
        ]

    def _source(self, subscription: Any, name: str) -> InputTopic:
        ours, kind = subscription.qos_profile, _type_name(subscription.msg_type)
        publishers = publishers_of(self._node, subscription.topic_name)
        if publishers is None:
            count = self._node.count_publishers(subscription.topic_name)
            unknown = ["not told: one has a name that is no text"] * count
            return InputTopic(subscription.topic_name, _qos(ours), unknown, count, kind, own_name=self._below + name)
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
            own_name=self._below + name,
        )


def _name(publisher: Any) -> str:
    return f"{publisher.node_namespace.rstrip('/')}/{publisher.node_name}"


def _type_name(message: Any) -> str:
    """The name of a message's type as the graph has it: sensor_msgs/msg/Image."""
    package, kind = message.__module__.split(".")[:2]
    return f"{package}/{kind}/{message.__name__}"


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
    calibration: Calibration | None, info: CameraInfoListener, size_problem: str, source: InputTopic, frame: str
) -> tuple[str, str, str]:
    """Say what is wrong with the camera that is in force, that camera in words, and what follows.

    Args:
        calibration: in force; None where there is none.
        info: has heard camera_info.
        size_problem: why the calibration does not fit the latest image; empty where it does.
        source: the topic of camera_info.
        frame: of the latest image; empty where none is known.
    """
    problem = info.problem
    if calibration is None:
        return problem or _no_camera(source), "", NO_CAMERA
    words = _in_words(calibration.camera)
    if calibration.source:
        words += f", from {brief(calibration.source)}"
    if calibration.lens is not None:
        words += f", rectified from {calibration.lens.distortion.model}"
    if size_problem:
        return size_problem, words, NO_CAMERA
    if problem:
        return problem, words, LAST_CAMERA
    if calibration.camera.doubt:
        return f"{calibration.camera.doubt}. {REMEDY}", words, UNCORRECTED
    if not calibration.source and frame and info.frame_id and frame.lstrip("/") != info.frame_id.lstrip("/"):
        cause = f"camera_info is of the frame {quoted(info.frame_id)}, the images of {quoted(frame)}"
        remedy = f"Remap `{source.own_name}` to the camera_info beside the images, or let the driver name one frame."
        return f"{cause}: another camera's gives another depth. {remedy}", words, ""
    return calibration.distortion, words, ""


def _no_camera(source: InputTopic) -> str:
    if misfit := misfit_of(source):
        return misfit
    if source.publishers:
        return f"no camera_info came on {source.topic} yet. Check that the driver has a calibration."
    return f"{source.topic} has no publisher. Start the driver with a calibration, or remap `{source.own_name}`."


def _in_words(camera: Intrinsics) -> str:
    numbers = ", ".join(f"{name} {getattr(camera, name):.1f}" for name in ("fx", "fy", "cx", "cy"))
    return f"{camera.width}x{camera.height}, {numbers}"
