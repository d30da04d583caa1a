"""Whether images come, and can be read: the status ``input``, and what it knows of a topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastdepth_ros.dds import advice
from fastdepth_ros.diagnostics.monitor import Drop, Report
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level, quoted

DROPPED_SHARE = 0.05
"""Share of a window's images that may be lost on the way, and that may be replaced by newer ones."""

DOUBTED_SHARE = 0.05
"""Share of a window's pictures that may not be worth answering: a lamp passes, a robot turns quickly."""

TURNS = 3
"""Changes of the images' frame in a window from which on two cameras are on one topic."""


@dataclass(frozen=True)
class InputTopic:
    """A topic that the node subscribes to.

    Attributes:
        topic: its full name.
        qos: the subscription's, in words.
        publishers: of the topic, each with its QoS in words.
        compatible: how many of these can be heard.
        kind: the type of the subscription's messages.
        others: other types of messages that are published there.
        misfit: why a publisher of the right type cannot be heard, in words.
        picture: size of its last picture, or else of one of camera_info's size [B]; 0 where neither is known.
        own_name: its name in a remapping.
    """

    topic: str
    qos: str = ""
    publishers: Sequence[str] = ()
    compatible: int = 0
    kind: str = ""
    others: Sequence[str] = ()
    misfit: str = ""
    picture: int = 0
    own_name: str = "image"


def input_status(report: Report, source: InputTopic, stale_after: float) -> Status:
    """Whether images come, and can be read."""
    values = {
        "topic": source.topic,
        "subscription": source.qos,
        "publishers": f"{len(source.publishers)}" + "".join(f"; {publisher}" for publisher in source.publishers),
        "rate in [Hz]": f"{report.rate_in:.1f}",
        "images": str(report.received),
        Drop.LOST.value: str(report.dropped.get(Drop.LOST, 0)),
        "unreadable": str(report.rejected),
        "not worth answering": str(report.doubted),
        "since last image [s]": f"{report.silence:.1f}",
        "last error": report.last_error or "none",
    }
    if report.silence >= stale_after:
        level = Level.ERROR if report.received else Level.WARN
        return Status(level, *_silence(report, source), about="input", values=values)
    if report.recent_rejected:
        every = report.recent_rejected >= report.recent_received
        message = f"{report.recent_rejected} of {report.recent_received} images cannot be read: {report.last_error}"
        return Status(Level.ERROR if every else Level.WARN, message, about="input", values=values)
    if report.recent_turns >= TURNS:
        one, other = (quoted(frame) for frame in report.frames)
        cause = (
            f"two cameras publish on {source.topic}: its images are of {one} and of {other} in turn, and each change"
            " costs time"
        )
        remedy = f"Remap `{source.own_name}` to the topic of one of them. Publishers: {'; '.join(source.publishers)}"
        return Status(Level.WARN, cause, remedy, about="input", values=values)
    lost = report.recent_dropped.get(Drop.LOST, 0)
    if lost > max(1, DROPPED_SHARE * (report.recent_received + lost)):
        cause = f"{lost} of {report.recent_received + lost} images were lost on the way"
        remedy = f"{advice(source.picture)} Otherwise the network or this machine is too busy."
        return Status(Level.WARN, cause, remedy, about="input", values=values)
    if report.recent_doubted > max(1, DOUBTED_SHARE * report.recent_received):
        words, remedy = report.doubt
        cause = f"{report.recent_doubted} of {report.recent_received} pictures are not worth answering: {words}"
        return Status(Level.WARN, cause, remedy, about="input", values=values)
    return Status(
        Level.OK, f"{report.rate_in:.1f} Hz" if report.received else "waiting for images", about="input", values=values
    )


def _silence(report: Report, source: InputTopic) -> tuple[str, str]:
    """Why no image comes, and what to do."""
    what = f"no image on {source.topic} for {report.silence:.1f} s"
    if not source.publishers:
        return f"{what}: it has no publisher", f"Start the camera driver, or remap `{source.own_name}`."
    if misfit := misfit_of(source):
        return f"{what}: {misfit}", ""
    remedy = f"Look whether the driver still sends, and as the same user as this node. {advice(source.picture)}"
    return f"{what}, although {len(source.publishers)} publish there", remedy


def misfit_of(source: InputTopic) -> str:
    """Why no publisher of a topic can be heard, and what to do; empty where one can be."""
    if source.compatible or not source.publishers:
        return ""
    if source.others and not source.misfit:
        return f"{source.topic} carries {', '.join(source.others)}, and the node wants {source.kind}. {_way(source)}"
    policy, value = ("durability", "volatile") if "urab" in source.misfit else ("reliability", "best_effort")
    return (
        f"the QoS of its publishers does not fit ours ({source.qos}). Set"
        f" qos_overrides.{source.topic}.subscription.{policy} to {value}, or change the driver's."
    )


def _way(source: InputTopic) -> str:
    """Remedy for messages of another type."""
    told = {"Image": "raw", "CompressedImage": "compressed", "FFMPEGPacket": "ffmpeg", "CompressedVideo": "foxglove"}
    wanted = source.kind.rsplit("/", 1)[-1]
    for other in source.others:
        transport = told.get(other.rsplit("/", 1)[-1])
        if transport and wanted in told:
            return f"Set image_transport to {transport}, or remap `{source.own_name}` to a topic of {source.kind}."
    return f"Remap `{source.own_name}` to a topic of {source.kind}."
