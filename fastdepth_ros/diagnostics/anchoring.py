"""Status of measured depths, source by source, at a level, with what to do about it.

    anchoring  WARN   a source cannot be read; its frame or the time of its frame is not known; its stamps do not match
                      the images'; none of it is in the view; it fell silent; it says that things are several times as
                      far as the picture says, or is not believed; there is doubt about it; the scale jumps; tf is at
                      odds with itself

Without any source depth is the network's, and that is well.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from fastdepth_ros.anchoring.anchors import Report as Correction
from fastdepth_ros.anchoring.reporting import DISAGREES
from fastdepth_ros.diagnostics.status import Status, status_of
from fastdepth_ros.diagnostics.windows import SPAN, Tally, Window
from fastdepth_ros.errors import Finding, Level

CHECK = "Check its extrinsics, its frame and its units."
CLOSE_UP = "Depth follows it, for things this near are answered too far. If nothing is near, check its frame and units."
"""Remedies where a source says depths that the picture does not: any, and nearer ones that are believed."""

FAR_OFF = 2.0
"""Largest ratio, either way, of a source's depths to the picture's that is believed; the network alone errs less."""

SILENT_AFTER = 2.0
"""Without a message for so long a source fell silent [s]."""

JUMPS = 3
"""New places within a window from which on the scale jumps: no robot goes through so many doors."""


class Used(NamedTuple):
    """A source in one frame.

    Attributes:
        used: anchors that had a say.
        left_out: cause -> how many had none.
        lag: time from measurement to image [s].
        ratio: how many times as far as the picture it says things are; NaN where it cannot be said.
        believed: whether the source as a whole was.
    """

    used: int
    left_out: Mapping[str, int]
    lag: float
    ratio: float
    believed: bool


@dataclass(frozen=True)
class SourceState:
    """A source over the last seconds.

    Attributes:
        name: of the source.
        topic: on which it comes; empty for the floor.
        publishers: number of the topic's publishers.
        messages: number of its messages in all.
        rate: messages a second [Hz].
        silence: time since the last message [s]; None before the first.
        frames: number of frames in which it was looked at.
        used: mean number of anchors of a frame that had a say.
        left_out: cause -> mean number of anchors of a frame that had none.
        lag: mean time from measurement to image [s]; None where nothing was used.
        ratio: how many times as far as the picture it says things are; None where it cannot be said.
        disbelieved: share of frames in which it was not believed as a whole.
        problem: why it was not used, of late; empty where it was.
        doubt: why it is not to be trusted, whether or not it was used; empty where it is.
    """

    name: str
    topic: str = ""
    publishers: int = 0
    messages: int = 0
    rate: float = 0.0
    silence: float | None = None
    frames: int = 0
    used: float = 0.0
    left_out: Mapping[str, float] = field(default_factory=dict)
    lag: float | None = None
    ratio: float | None = None
    disbelieved: float = 0.0
    problem: str = ""
    doubt: str = ""


class Jumps:
    """Counts new places, from any thread. Times are in the node's clock [s]."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tally = Tally()

    def note(self, now: float) -> None:
        """Note that the scale jumped."""
        with self._lock:
            self._tally.add(now)

    def count(self, now: float) -> int:
        """Jumps within the last seconds."""
        with self._lock:
            return self._tally.count(now)


class SourceNotes:
    """Takes notes of one source, from any thread. Times are in the node's clock [s]."""

    def __init__(self, name: str, topic: str = "") -> None:
        self.name, self.topic = name, topic
        self._lock = threading.Lock()
        self._came = Window[None]()
        self._frames = Window[Used]()
        self._problems, self._doubts = Window[str](), Window[str]()
        self._last: float | None = None

    def came(self, now: float) -> None:
        """Note a message."""
        with self._lock:
            self._came.add(now, None)
            self._last = now

    def problem(self, now: float, what: str) -> None:
        """Note what kept a message, or all of them, from being used."""
        with self._lock:
            self._problems.add(now, what)

    def doubt(self, now: float, what: str) -> None:
        """Note why it is not to be trusted, for an image for which it was looked at."""
        with self._lock:
            self._doubts.add(now, what)

    def used(self, now: float, what: Used) -> None:
        """Note a frame that was corrected with the source."""
        with self._lock:
            self._frames.add(now, what)

    def state(self, now: float, publishers: int) -> SourceState:
        """Tell the state of the source at this time."""
        with self._lock:
            frames, problems = self._frames.values(now), self._problems.values(now)
            doubts = self._doubts.values(now)
            left_out: Counter[str] = Counter()
            for each in frames:
                left_out.update(each.left_out)
            ratios = sorted(each.ratio for each in frames if math.isfinite(each.ratio))
            lags = [each.lag for each in frames if math.isfinite(each.lag)]
            return SourceState(
                name=self.name,
                topic=self.topic,
                publishers=publishers,
                messages=self._came.total,
                rate=self._came.rate(now),
                silence=None if self._last is None else max(0.0, now - self._last),
                frames=len(frames),
                used=_mean([each.used for each in frames]) or 0.0,
                left_out={cause: count / len(frames) for cause, count in left_out.items()},
                lag=_mean(lags),
                ratio=ratios[len(ratios) // 2] if ratios else None,
                disbelieved=_mean([not each.believed for each in frames]) or 0.0,
                problem=problems[-1] if len(problems) > len(frames) / 2 else "",
                doubt=doubts[-1] if len(doubts) > len(frames) / 2 else "",
            )


def _mean(numbers: Sequence[float]) -> float | None:
    return sum(numbers) / len(numbers) if numbers else None


def anchoring_status(
    sources: Sequence[SourceState],
    correction: Correction | None,
    about_tf: str = "",
    about_floor: str = "",
    jumps: int = 0,
) -> Status:
    """Whether measured depths come, and correct the picture.

    Args:
        sources: all of them.
        correction: of the latest frame; None where there was none.
        about_tf: what is wrong with tf; empty where nothing is.
        about_floor: the same of the floor.
        jumps: how often in a window the scale of the place was given up for another.
    """
    active = [each for each in sources if each.publishers or each.messages or each.frames or each.problem]
    values = {key: value for each in active for key, value in _values(each).items()}
    if correction is not None:
        values |= _scale(correction)
    remembers = correction is not None and math.isfinite(correction.age)
    problems = [problem for each in active if (problem := _problem(each, remembers))]
    if jumps >= JUMPS:
        cause = f"the scale that measured depths say jumped {jumps} times in {SPAN:.0f} s"
        remedy = (
            "Look for a source that loses track, or whose frame changes; a SLAM of one camera is of relative scale."
        )
        problems.append(Finding(Level.WARN, cause, remedy))
    problems += [Finding(Level.WARN, each) for each in (about_tf, about_floor) if each]
    used = [f"{each.name} ({each.used:.0f})" for each in active if each.used]
    nothing = "nothing was measured for an image of late" if active else "no source publishes"
    well = f"anchored by {', '.join(used)}" if used else f"{nothing}: depth is the network's own"
    return status_of("anchoring", problems, well, values)


def _values(source: SourceState) -> dict[str, str]:
    name = source.name
    left_out = ", ".join(f"{cause} {count:.1f}" for cause, count in sorted(source.left_out.items()))
    return {
        f"{name}: topic": f"{source.topic}, {source.publishers} publish" if source.topic else "none",
        f"{name}: rate [Hz]": f"{source.rate:.1f}",
        f"{name}: since last [s]": "none came" if source.silence is None else f"{source.silence:.1f}",
        f"{name}: used a frame": f"{source.used:.1f}",
        f"{name}: left out a frame": left_out or "none",
        f"{name}: older than the image [ms]": _figure(source.lag and source.lag * 1e3, 0),
        f"{name}: as far as the picture": _figure(source.ratio, 2),
    }


def _scale(correction: Correction) -> dict[str, str]:
    return {
        "scale": f"{correction.scale:.3f} (within {100 * correction.scale_sd:.0f} %)",
        "slope": f"{correction.slope:.3f} (within {correction.slope_sd:.3f})",
        "innovation": _figure(correction.innovation, 3) + f" (expected {_figure(correction.innovation_sd, 3)})",
        "computed": "by compiled functions" if correction.compiled else "in numpy, which takes longer",
        "since anchors were used [s]": _figure(correction.age, 1, "never"),
    }


def _problem(source: SourceState, remembers: bool) -> Finding | None:
    """Name what is wrong with a source, and what to do; None where nothing is."""
    name = source.name
    if source.silence is not None and source.silence > SILENT_AFTER:
        goes_on = "depth goes on with the scale that is remembered" if remembers else "depth is the network's own"
        remedy = f"Look whether who publishes {source.topic} still runs."
        return Finding(Level.WARN, f"{name} fell silent {source.silence:.0f} s ago, {goes_on}", remedy)
    if source.problem:
        return Finding(Level.WARN, f"{name} is not used: {source.problem}")
    if source.doubt:
        return Finding(Level.WARN, f"{name} {source.doubt}")
    if source.left_out.get(DISAGREES, 0.0) > source.used:
        remedy = "Check its frame, units and extrinsics: it may be upside down or mirrored."
        cause = f"most of {name} is left out, because it {DISAGREES} with the picture or with other sources"
        return Finding(Level.WARN, cause, remedy)
    if source.frames and not source.used and source.topic:
        return _none_of(source)
    far = source.ratio is not None and not 1 / FAR_OFF < source.ratio < FAR_OFF
    if source.ratio is not None and (far or source.disbelieved > 0.5):
        believed = "" if source.disbelieved <= 0.5 else ", which neither the picture nor other sources bear out"
        cause = f"{name} says {_times(source.ratio)} as the picture{believed}"
        return Finding(Level.WARN, cause, CLOSE_UP if not believed and source.ratio < 1 else CHECK)
    return None


def _none_of(source: SourceState) -> Finding:
    if not source.left_out:
        return Finding(Level.WARN, f"{source.name} holds no point", f"Look at what {source.topic} says.")
    most = max(source.left_out, key=lambda each: source.left_out[each])
    cause = f"{source.name} gives no anchor: {most} ({source.left_out[most]:.0f} of a message)"
    return Finding(Level.WARN, cause, "Check its frame, its extrinsics and where it looks.")


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times as far" if ratio >= 1 else f"{1 / ratio:.1f} times as near"


def _figure(value: float | None, digits: int, otherwise: str = "unknown") -> str:
    return otherwise if value is None or not math.isfinite(value) else f"{value:.{digits}f}"


def numbers(sources: Sequence[SourceState], correction: Correction | None) -> dict[str, float]:
    """Figures of the statuses as plain numbers in SI units, for plotting; what is unknown is left out."""
    found: dict[str, float | None] = {}
    for each in sources:
        if each.messages or each.frames:
            found |= {
                f"anchoring_{each.name}_rate": each.rate,
                f"anchoring_{each.name}_used": each.used,
                f"anchoring_{each.name}_left_out": sum(each.left_out.values()),
                f"anchoring_{each.name}_lag": each.lag,
                f"anchoring_{each.name}_ratio": each.ratio,
            }
    if correction is not None:
        found |= {
            "anchoring_scale": correction.scale,
            "anchoring_scale_sd": correction.scale_sd,
            "anchoring_slope": correction.slope,
            "anchoring_innovation": correction.innovation,
        }
    return {name: value for name, value in found.items() if value is not None and math.isfinite(value)}
