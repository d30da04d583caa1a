"""What the numbers mean: a status for each part of the node, at a level, with what to do about it.

    input        ERROR  images came and stopped for `stale_after`; every image of the window was unreadable
                 WARN   no image came yet for `stale_after`; some images of the window were unreadable; more than 5 %
                        of them were lost between the camera driver and the node; images of two frames come in turn
    calibration  WARN   no valid camera_info of the image's size: there is depth, but no camera_info and no cloud; or
                        no lens has its numbers; or a bad one came after a good one; or the pictures are distorted
    inference    ERROR  the node failed on an image of the window
                 WARN   more than 5 % of the window's images were replaced before the node got to them
    outputs      WARN   95 % of the answers are not younger than 100 ms, or an image was stamped in the future
    node         ERROR  the node could not be configured, or its parameters are not allowed
                 WARN   use_sim_time is true and no /clock came

Windows are those of :mod:`fastdepth_ros.diagnostics.windows`. A node that is not active, or to which nobody subscribes,
is well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from fastdepth_ros.diagnostics.monitor import Drop, Report
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.errors import quoted

DROPPED_SHARE = 0.05
"""Share of a window's images that may be lost on the way, and that may be replaced by newer ones."""

AGE_LIMIT = 0.1
"""Depth that is older than three images of a 30 Hz camera is of no use to a planner [s]."""

TURNS = 3
"""Changes of the images' frame in a window from which on two cameras are on one topic."""

CLOCK_TOLERANCE = 0.005
"""How far in the future a stamp may be before the clocks are said to differ [s]."""


class Level(IntEnum):
    """Levels of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2


@dataclass(frozen=True)
class Status:
    """What is to be said of one part.

    Attributes:
        part: of the node.
        level: how bad it is.
        message: what is the matter, and what to do.
        values: numbers and words, in the order in which they are shown.
    """

    part: str
    level: Level
    message: str
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """A topic that the node subscribes to.

    Attributes:
        topic: its full name.
        qos: the subscription's, in words.
        publishers: of the topic, each with its QoS in words.
        compatible: how many of these can be heard.
    """

    topic: str
    qos: str = ""
    publishers: Sequence[str] = ()
    compatible: int = 0


def input_status(report: Report, source: Source, stale_after: float) -> Status:
    """Whether images come, and can be read."""
    values = {
        "topic": source.topic,
        "subscription": source.qos,
        "publishers": f"{len(source.publishers)}" + "".join(f"; {publisher}" for publisher in source.publishers),
        "rate in [Hz]": f"{report.rate_in:.1f}",
        "images": str(report.received),
        Drop.LOST.value: str(report.dropped.get(Drop.LOST, 0)),
        "unreadable": str(report.rejected),
        "since last image [s]": f"{report.silence:.1f}",
        "last error": report.last_error or "none",
    }
    if report.silence >= stale_after:
        level = Level.ERROR if report.received else Level.WARN
        return Status("input", level, _silence(report, source), values)
    if report.recent_rejected:
        every = report.recent_rejected >= report.recent_received
        message = f"{report.recent_rejected} of {report.recent_received} images cannot be read: {report.last_error}"
        return Status("input", Level.ERROR if every else Level.WARN, message, values)
    if report.recent_turns >= TURNS:
        one, other = (quoted(frame) for frame in report.frames)
        message = (
            f"two cameras publish on {source.topic}: its images are of {one} and of {other} in turn, and each change"
            f" costs time. Remap `image` to the topic of one of them. Publishers: {'; '.join(source.publishers)}"
        )
        return Status("input", Level.WARN, message, values)
    lost = report.recent_dropped.get(Drop.LOST, 0)
    if lost > max(1, DROPPED_SHARE * (report.recent_received + lost)):
        message = (
            f"{lost} of {report.recent_received + lost} images were lost on the way. Images over 0.5 MB need"
            " config/fastdds.xml in the driver's process; otherwise the network or this machine is too busy."
        )
        return Status("input", Level.WARN, message, values)
    return Status("input", Level.OK, f"{report.rate_in:.1f} Hz" if report.received else "waiting for images", values)


def _silence(report: Report, source: Source) -> str:
    what = f"no image on {source.topic} for {report.silence:.1f} s"
    if not source.publishers:
        return f"{what}: it has no publisher. Start the camera driver, or remap `image`."
    if not source.compatible:
        return (
            f"{what}: the QoS of its publishers does not fit ours ({source.qos}). Set"
            f" qos_overrides.{source.topic}.subscription.reliability to best_effort, or change the driver's."
        )
    return (
        f"{what}, although {len(source.publishers)} publish there. Look whether the driver still sends; images of over"
        " 0.5 MB need config/fastdds.xml in the driver's process, too."
    )


NO_CAMERA = "depth without camera_info and cloud"
LAST_CAMERA = "the last camera_info that was good stays in force"
UNCORRECTED = "depth is not corrected for the focal length"
"""What follows from a camera that is not known, from a bad camera_info after a good one, and from one in doubt."""


def calibration_status(source: Source, problem: str, camera: str, consequence: str = NO_CAMERA) -> Status:
    """Whether the camera is known, and can be believed.

    Args:
        source: the topic of camera_info.
        problem: what is wrong with it; empty if nothing is.
        camera: the camera in use, in words.
        consequence: what follows from the problem; empty where it says so itself.
    """
    values = {"topic": source.topic, "publishers": str(len(source.publishers)), "camera": camera or "unknown"}
    if problem:
        message = f"{consequence}: {problem}" if consequence else problem
        return Status("calibration", Level.WARN, message, values)
    return Status("calibration", Level.OK, camera or "waiting for images", values)


def inference_status(report: Report, facts: Mapping[str, str]) -> Status:
    """Whether images are answered, and how long each stage takes.

    Args:
        report: of the monitor.
        facts: of the engine, as model and threads.
    """
    values = dict(facts)
    for stage, spread in report.stages.items():
        values[f"{stage} p50/p95/max [ms]"] = _milliseconds(spread)
    dropped = {cause: total for cause, total in report.dropped.items() if cause is not Drop.LOST}  # that is the input's
    values.update({f"dropped: {cause.value}": str(total) for cause, total in dropped.items()})
    values["failures"] = str(report.failed)
    if report.recent_failed:
        message = (
            f"{report.recent_failed} images failed: {report.last_error}. Please report this; the log has the rest."
        )
        return Status("inference", Level.ERROR, message, values)
    replaced = report.recent_dropped.get(Drop.REPLACED, 0)
    if replaced > max(1, DROPPED_SHARE * report.recent_received):
        message = (
            f"{replaced} of {report.recent_received} images came faster than they could be answered. Lower the camera's"
            " rate or max_rate, raise threads, or free the processor."
        )
        return Status("inference", Level.WARN, message, values)
    busy = report.stages.get("infer")
    if busy is None:
        return Status("inference", Level.OK, "idle: nobody subscribes" if report.received else "idle", values)
    return Status("inference", Level.OK, f"{busy.p50 * 1e3:.1f} ms", values)


def output_status(report: Report, subscribers: Mapping[str, int]) -> Status:
    """Whether the answers are young enough to be of use.

    Args:
        report: of the monitor.
        subscribers: topic -> how many subscribe.
    """
    values = {
        "rate out [Hz]": f"{report.rate_out:.1f}",
        "answers": str(report.answered),
        **{f"subscribers of {topic}": str(count) for topic, count in subscribers.items()},
    }
    if report.age is None:
        return Status("outputs", Level.OK, "no answers in the last seconds", values)
    values["age p50/p95/max [ms]"] = _milliseconds(report.age)
    if report.age.p50 < -CLOCK_TOLERANCE:
        message = (
            f"images are stamped {-report.age.p50:.3f} s in the future. Synchronise the camera's clock with this"
            " machine's, or set use_sim_time if the images come from a recording."
        )
        return Status("outputs", Level.WARN, message, values)
    if report.age.p95 > AGE_LIMIT:
        message = (
            f"depth is {report.age.p95 * 1e3:.0f} ms old (p95). Look at the times of the stages; if they are short, the"
            " images come late or their stamps are of another clock: a recording needs use_sim_time and /clock."
        )
        return Status("outputs", Level.WARN, message, values)
    return Status("outputs", Level.OK, f"{report.rate_out:.1f} Hz, {report.age.p50 * 1e3:.1f} ms old", values)


def node_status(state: str, problem: str, values: Mapping[str, str], clock_stands: bool = False) -> Status:
    """Whether the node could be configured, and knows the time.

    Args:
        state: label of the lifecycle state, or what the node is doing.
        problem: why it could not; empty if it could.
        values: what else there is to say.
        clock_stands: the node is to take its time from /clock, and none came.
    """
    values = {"state": state, **values}
    if problem:
        return Status("node", Level.ERROR, problem, values)
    if clock_stands:
        message = (
            "use_sim_time is true, but no /clock came, so ages and rates cannot be told. Start the simulator, play the"
            " recording with --clock, or set use_sim_time to false."
        )
        return Status("node", Level.WARN, message, values)
    return Status("node", Level.OK, state, values)


def _milliseconds(spread: Spread) -> str:
    return f"{spread.p50 * 1e3:.1f} / {spread.p95 * 1e3:.1f} / {spread.max * 1e3:.1f}"
