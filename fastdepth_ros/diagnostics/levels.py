"""Meaning of the numbers: a status for each part of the node, at a level, with what to do about it.

    input        ERROR  images came and stopped for `stale_after`; every image of the window was unreadable
                 WARN   no image came yet for `stale_after`; some images of the window were unreadable; more than 5 %
                        of them were lost between the camera driver and the node; images of two frames come in turn;
                        more than 5 % of the pictures are not worth answering (dark, blurred, frozen, ...)
    calibration  WARN   no valid camera_info of the image's size: there is depth, but no camera_info and no cloud; or
                        no lens has its numbers; or a bad one came after a good one; or the pictures are distorted,
                        and that is not undone
    inference    ERROR  the node failed on an image of the window
                 WARN   more than 5 % of the window's images were replaced before the node got to them
    outputs      WARN   the age's p95 is over what the power profile allows (100 ms where it says nothing), or an image
                        was stamped in the future, or by another clock
    node         ERROR  the node could not be configured, or its parameters are not allowed
                 WARN   use_sim_time is true and no /clock came, or /clock stands; a parameter that was given is none,
                        and much like one

Windows are those of :mod:`fastdepth_ros.diagnostics.windows`. A node that is not active, or to which nobody subscribes,
is well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from fastdepth_ros.diagnostics.inputs import DROPPED_SHARE, InputTopic
from fastdepth_ros.diagnostics.monitor import Drop, Report
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.diagnostics.windows import Spread
from fastdepth_ros.errors import FastDepthError, Level, quoted
from fastdepth_ros.power.ages import milliseconds, of_another_clock

AGE_LIMIT = 0.1
"""Age from which depth is too old where the power profile names none [s]: three images of a 30 Hz camera."""

STANDSTILL = 3.0
"""Seconds for which /clock may stand still before that is said; more than a slow one's tick."""

CLOCK_TOLERANCE = 0.005
"""Time that a stamp may be in the future before the clocks are said to differ [s]."""


NO_CAMERA = "depth without camera_info and cloud"
LAST_CAMERA = "the last camera_info that was good stays in force"
UNCORRECTED = "depth is not corrected for the focal length"
"""Consequences of a camera that is not known, from a bad camera_info after a good one, and from one in doubt."""


def calibration_status(source: InputTopic, problem: str, camera: str, consequence: str = NO_CAMERA) -> Status:
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
        return Status(Level.WARN, message, about="calibration", values=values)
    return Status(Level.OK, camera or "waiting for images", about="calibration", values=values)


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
        cause = f"{report.recent_failed} images failed: {report.last_error}"
        remedy = "Please report this; the log has the rest."
        return Status(Level.ERROR, cause, remedy, about="inference", values=values)
    replaced = report.recent_dropped.get(Drop.REPLACED, 0)
    if replaced > max(1, DROPPED_SHARE * report.recent_received):
        cause = f"{replaced} of {report.recent_received} images came faster than they could be answered"
        remedy = "Lower the camera's rate or max_rate, raise threads, or free the processor."
        return Status(Level.WARN, cause, remedy, about="inference", values=values)
    busy = report.stages.get("infer")
    if busy is None:
        return Status(
            Level.OK, "idle: nobody subscribes" if report.received else "idle", about="inference", values=values
        )
    return Status(Level.OK, f"{busy.p50 * 1e3:.1f} ms", about="inference", values=values)


def output_status(
    report: Report,
    subscribers: Mapping[str, int],
    age_limit: float | None = None,
    problems: Mapping[str, FastDepthError] = MappingProxyType({}),
) -> Status:
    """Whether the answers are young enough to be of use.

    Args:
        report: of the monitor.
        subscribers: topic -> how many subscribe.
        age_limit: p95 of the age that the power profile allows [s]; None where it names none.
        problems: topic that somebody reads -> why the latest image has no message there.
    """
    limit = AGE_LIMIT if age_limit is None else age_limit
    values = {
        "rate out [Hz]": f"{report.rate_out:.1f}",
        "answers": str(report.answered),
        **{f"subscribers of {topic}": str(count) for topic, count in subscribers.items()},
    }
    if report.age is None:
        return Status(Level.OK, "no answers in the last seconds", about="outputs", values=values)
    if of_another_clock(report.age.p50) or of_another_clock(report.age.p95):
        values["age p50/p95/max [ms]"] = "from another clock"
        cause = "stamps of the images are from another clock, so ages cannot be told"
        remedy = "Let the driver stamp with this machine's time; a recording needs use_sim_time and /clock."
        return Status(Level.WARN, cause, remedy, about="outputs", values=values)
    values["age p50/p95/max [ms]"] = _milliseconds(report.age)
    for topic, problem in problems.items():
        return Status(
            Level.WARN, f"nothing on {topic}: {problem.cause}", problem.remedy, about="outputs", values=values
        )
    if report.age.p50 < -CLOCK_TOLERANCE:
        cause = f"images are stamped {-report.age.p50:.3f} s in the future"
        remedy = (
            "Synchronise the camera's clock with this machine's, or set use_sim_time if the images come from a"
            " recording."
        )
        return Status(Level.WARN, cause, remedy, about="outputs", values=values)
    if report.age.p95 > limit:
        cause = f"depth is {milliseconds(report.age.p95, 0)} old (p95), over {milliseconds(limit, 0)}"
        remedy = (
            "Look at the times of the stages; if they are short, the images come late or their stamps are of another"
            " clock: a recording needs use_sim_time and /clock."
        )
        return Status(Level.WARN, cause, remedy, about="outputs", values=values)
    return Status(
        Level.OK, f"{report.rate_out:.1f} Hz, {report.age.p50 * 1e3:.1f} ms old", about="outputs", values=values
    )


def node_status(
    state: str,
    problem: str,
    values: Mapping[str, str],
    clock_stands: bool = False,
    stood: float = 0.0,
    unknown: Mapping[str, str | None] = MappingProxyType({}),
    unheard: Sequence[str] = (),
) -> Status:
    """Whether the node could be configured, knows the time, and knows all that it was given.

    Args:
        state: label of the lifecycle state, or what the node is doing.
        problem: why the node could not be configured; empty if it could.
        values: what else there is to say.
        clock_stands: the node is to take its time from /clock, and none came.
        stood: for how long the node's clock has stood [s].
        unknown: parameters that it was given and does not know, each with the one that was probably meant.
        unheard: what is to be said of each parameter file that holds nothing for it.
    """
    values = {"state": state, **values}
    if unknown:
        values["parameters that there are not"] = ", ".join(unknown)
    if problem:
        return Status(Level.ERROR, problem, about="node", values=values)
    if clock_stands:
        cause = "use_sim_time is true, but no /clock came, so ages and rates cannot be told"
        remedy = "Start the simulator, play the recording with --clock, or set use_sim_time to false."
        return Status(Level.WARN, cause, remedy, about="node", values=values)
    if stood > STANDSTILL:
        cause = f"the time of /clock has stood for {stood:.0f} s, so ages cannot be told"
        remedy = "Go on with the simulator or the recording, or set use_sim_time to false."
        return Status(Level.WARN, cause, remedy, about="node", values=values)
    meant = [f"{quoted(name)} ({right}?)" for name, right in unknown.items() if right]
    if meant:
        cause = f"there is no parameter {', '.join(meant)}"
        remedy = "Mend its name in the launch or YAML file, or leave it out."
        return Status(Level.WARN, cause, remedy, about="node", values=values)
    if unheard:
        remedy = "Put this node's name in the place of the other in that file, or /**."
        return Status(Level.WARN, "; ".join(unheard), remedy, about="node", values=values)
    return Status(Level.OK, state, about="node", values=values)


def _milliseconds(spread: Spread) -> str:
    return " / ".join(milliseconds(each).removesuffix(" ms") for each in (spread.p50, spread.p95, spread.max))
