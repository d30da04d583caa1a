"""Demand for answers: outputs that are switched on and have a subscriber, asked for with every image."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from fastdepth_ros.messages.output_topics import (
    CALIBRATION,
    CLOUD,
    DERIVED,
    DERIVED_OUTPUTS,
    OUTPUT_TOPICS,
    PIPELINE_OUTPUTS,
    OutputTopic,
)
from fastdepth_ros.node.rclpy_ways.interface import Publisher
from fastdepth_ros.parameters import Parameters

SELDOM = 0.25
"""Seconds for which the readers of derived answers are taken as they were: few robots have any."""


class Wanted(NamedTuple):
    """Answers that somebody wants.

    Attributes:
        outputs: in the order in which they are published to somebody new; empty where nobody listens.
        needed: arguments of ``Pipeline.run`` by which it makes them, and whether they are wanted: its own answers, and
            those that others are made from.
        without_camera: whether any of them needs no calibration.
        first: those that are there before the points, in that order.
        known: the same, in the order for readers who know the camera_info of before.
        behind: all others.
    """

    outputs: tuple[OutputTopic, ...]
    needed: Mapping[str, bool]
    without_camera: bool
    first: tuple[OutputTopic, ...]
    known: tuple[OutputTopic, ...]
    behind: tuple[OutputTopic, ...]


class Demand:
    """Asks publishers for their subscribers.

    What follows from the answer is kept until it changes, which is seldom, whereas this is asked with every image.

    Args:
        publishers: name of each output topic -> its publisher.
        parameters: switch outputs off.
    """

    def __init__(self, publishers: Mapping[str, Publisher], parameters: Parameters) -> None:
        self._publishers = publishers
        self.apply(parameters)

    def apply(self, parameters: Parameters) -> None:
        """Switch outputs on and off."""
        on = (output for output in OUTPUT_TOPICS if not output.is_off(parameters))
        self._on = sorted(on, key=lambda output: output.maker == DERIVED)
        self._always, self._seldom = (
            [self._publishers[output.name].count for output in self._on if (output.maker == DERIVED) is derived]
            for derived in (False, True)
        )
        self._derived, self._until = list[int](), 0.0
        self._known: tuple[list[int], list[int], Wanted] | None = None

    def look(self) -> Wanted:
        """See what is wanted now."""
        heard: list[int] = []
        for count in self._always:  # a comprehension is a function more
            heard.append(count())
        now = time.monotonic()
        if now >= self._until:
            self._derived, self._until = [count() for count in self._seldom], now + SELDOM
        known = self._known
        if known is None or known[0] != heard or known[1] != self._derived:
            counts = zip(self._on, heard + self._derived, strict=True)
            wanted = tuple(output for output, readers in counts if readers > 0)
            known = self._known = heard, self._derived, _wanted(wanted)
        return known[2]


def _wanted(outputs: tuple[OutputTopic, ...]) -> Wanted:
    needed = {output.name: output in outputs for output in PIPELINE_OUTPUTS}
    for output in DERIVED_OUTPUTS:
        needed[output.source] = needed.get(output.source, False) or output in outputs
    without_camera = not all(output.needs_camera for output in outputs)
    first = tuple(output for output in outputs if not _waits(output))
    known = tuple(sorted(first, key=lambda output: output.maker == CALIBRATION))
    return Wanted(outputs, needed, without_camera, first, known, tuple(filter(_waits, outputs)))


def _waits(output: OutputTopic) -> bool:
    """Whether it is not there before the points are."""
    return output.name == CLOUD or output.maker == DERIVED
