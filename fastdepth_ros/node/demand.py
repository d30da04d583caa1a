"""Demand for answers: outputs that are switched on and have a subscriber, asked for with every image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fastdepth_ros.messages.output_topics import DERIVED_OUTPUTS, OUTPUT_TOPICS, PIPELINE_OUTPUTS, OutputTopic
from fastdepth_ros.node.rclpy_ways.interface import Publisher
from fastdepth_ros.parameters import Parameters


class Wanted(NamedTuple):
    """Answers that somebody wants.

    Attributes:
        outputs: in the order in which they are published; empty where nobody listens.
        needed: arguments of ``Pipeline.run`` by which it makes them: its own answers that are wanted, and those that
            others are made from.
        without_camera: whether any of them needs no calibration.
    """

    outputs: tuple[OutputTopic, ...]
    needed: Mapping[str, bool]
    without_camera: bool


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
        self._on = [output for output in OUTPUT_TOPICS if not output.is_off(parameters)]
        self._counts = [self._publishers[output.name].count for output in self._on]
        self._known: tuple[list[bool], Wanted] | None = None

    def look(self) -> Wanted:
        """See what is wanted now."""
        heard = [count() > 0 for count in self._counts]
        if self._known is None or self._known[0] != heard:
            self._known = heard, _wanted(tuple(output for output, yes in zip(self._on, heard, strict=True) if yes))
        return self._known[1]


def _wanted(outputs: tuple[OutputTopic, ...]) -> Wanted:
    needed = {output.name: output in outputs for output in PIPELINE_OUTPUTS}
    needed |= {output.source: True for output in DERIVED_OUTPUTS if output in outputs}
    return Wanted(outputs, needed, not all(output.needs_camera for output in outputs))
