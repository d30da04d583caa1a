"""Prints what wrong sensors do to depth, and after how many pictures they are found out.

    python -m tools.anchor_faults DATA... [--set NAME] [--last SHARE] [--view VIEW]

DATA is what `fastdepth eval` takes. Sensors are simulated as there, and then mounted wrongly: mirrored (a lidar that is
upside down), turned (a time-of-flight camera that is), elsewhere (they measure another picture of the set), or with all
depths times a factor beside a lidar that is right. Pictures follow each other with a third of a second between them.
Shares are of the second half of the pictures: within a factor of 1.25 of the truth as the network answers alone, as
it was without trust over several frames, and as it is; and of errors within two sigma, likewise.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.anchoring import Anchoring, Anchors
from fastdepth_ros.evaluation.evaluate import Outcome
from fastdepth_ros.evaluation.sensors import Scene, Sensor, parse
from fastdepth_ros.viewing import CELL
from tools.anchor_data import answered, cells_of, parser_of

STEP = 1 / 3
"""Time from picture to picture [s]."""

REPEATED = 6
"""Frames for which each picture stays where sources are compared, which takes frames and no views."""

Depth = npt.NDArray[np.floating]
Spoil = Callable[[Sensor, Sequence[Outcome], int], Anchors]


def _anchors(sensor: Sensor, outcome: Outcome, index: int) -> Anchors:
    return sensor.anchors(Scene(outcome.truth, outcome.pixels, outcome.camera), 0, index)


def well(sensor: Sensor, outcomes: Sequence[Outcome], index: int) -> Anchors:
    """As it is mounted."""
    return _anchors(sensor, outcomes[index], index)


def mirrored(sensor: Sensor, outcomes: Sequence[Outcome], index: int) -> Anchors:
    """Left is right."""
    found = well(sensor, outcomes, index)
    pixels = found.pixels.copy()
    pixels[:, 0] = outcomes[index].truth.shape[1] - 1 - pixels[:, 0]
    return found._replace(pixels=pixels)


def turned(sensor: Sensor, outcomes: Sequence[Outcome], index: int) -> Anchors:
    """Upside down."""
    found = mirrored(sensor, outcomes, index)
    pixels = found.pixels.copy()
    pixels[:, 1] = outcomes[index].truth.shape[0] - 1 - pixels[:, 1]
    return found._replace(pixels=pixels)


def elsewhere(sensor: Sensor, outcomes: Sequence[Outcome], index: int) -> Anchors:
    """Another picture's, half the set away."""
    return _anchors(sensor, outcomes[(index + len(outcomes) // 2) % len(outcomes)], index)


def times(factor: float) -> Spoil:
    """All depths are so many times as far."""

    def spoil(sensor: Sensor, outcomes: Sequence[Outcome], index: int) -> Anchors:
        found = well(sensor, outcomes, index)
        return found._replace(depths=found.depths * np.float32(factor))

    return spoil


FAULTS: dict[str, tuple[tuple[str, Spoil], ...]] = {
    "lidar, right": (("lidar", well),),
    "lidar, mirrored": (("lidar", mirrored),),
    "lidar, elsewhere": (("lidar", elsewhere),),
    "tof:8x8, right": (("tof:8x8", well),),
    "tof:8x8, turned": (("tof:8x8", turned),),
    "tof:8x8, elsewhere": (("tof:8x8", elsewhere),),
    "vo:150, right": (("vo:150", well),),
    "vo:150, elsewhere": (("vo:150", elsewhere),),
    "lidar and vo:150, right": (("lidar", well), ("vo:150", well)),
    "lidar, vo:150 times 1.4": (("lidar", well), ("vo:150", times(1.4))),
    "lidar times 1.4, vo:150": (("lidar", times(1.4)), ("vo:150", well)),
}
"""Lines that are printed, and the sensors of each."""


class Course(NamedTuple):
    """Course of one fault.

    Attributes:
        delta1, within: shares of the second half of the pictures: within a factor of 1.25, and within two sigma.
        found: picture with which somebody was doubted; None where nobody is.
        words: why.
    """

    delta1: float
    within: float
    found: int | None
    words: str


def course(
    anchoring: Anchoring, outcomes: Sequence[Outcome], sensors: Sequence[tuple[str, Spoil]], *, trust: bool
) -> Course:
    """Run through all pictures.

    Args:
        anchoring: a new one.
        outcomes: the pictures' answers.
        sensors: by name, with what is wrong with them.
        trust: whether what several frames say counts.
    """
    known = [(parse(name)[0], spoil) for name, spoil in sensors]
    frames = REPEATED if len(known) > 1 else 1
    rows: list[tuple[float, float]] = []
    found: int | None = None
    words = ""
    for index, outcome in enumerate(outcomes):
        cells = np.nan_to_num(outcome.answer[::CELL, ::CELL], nan=0.0)
        truth = outcome.truth[::CELL, ::CELL]
        for frame in range(frames):
            given = [spoil(sensor, outcomes, index) for sensor, spoil in known]
            now = (index + frame / frames) * STEP
            done = anchoring.correct(cells, given, now, sigma=True, picture=outcome.pixels)
            doubts = [each.doubt for each in done.report.sources if each.doubt]
            if not trust:
                anchoring.trust.forget()
        assert done.sigma is not None
        if doubts and found is None:
            found, words = index, doubts[0]
        seen = np.isfinite(truth) & (cells > 0)
        ratio = np.abs(np.log(done.depth[seen] / truth[seen]))
        rows.append(((ratio < np.log(1.25)).mean(), (np.abs(done.depth - truth) < 2 * done.sigma)[seen].mean()))
    delta1, within = np.mean(rows[len(rows) // 2 :], axis=0)
    return Course(float(delta1), float(within), found, words)


def main() -> None:
    """Print the table."""
    outcomes, prior = answered(parser_of(__doc__).parse_args())
    cells = cells_of(outcomes[0])
    alone = course(Anchoring(cells, prior), outcomes, (), trust=True)
    say = sys.stdout.write
    say(f"{len(outcomes)} pictures, {alone.delta1:.3f} alone, {alone.within:.2f} of errors within two sigma\n")
    for name, sensors in FAULTS.items():
        was, now = (course(Anchoring(cells, prior), outcomes, sensors, trust=trust) for trust in (False, True))
        after = "nobody is doubted" if now.found is None else f"doubted from picture {now.found + 1} on: {now.words}"
        shares = f"{was.delta1:.3f} -> {now.delta1:.3f}, within two sigma {was.within:.2f} -> {now.within:.2f}"
        say(f"{name}: {shares}; {after}\n")


if __name__ == "__main__":
    main()
