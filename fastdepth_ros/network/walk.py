"""The way through a network, once, for whatever is made of it: torch's numbers or another runtime's layers."""

from __future__ import annotations

from typing import Protocol, TypeVar

from fastdepth_ros.network.table import Convolution, Network

Value = TypeVar("Value")


class Backend(Protocol[Value]):
    """Whatever computes or writes a model; a value is what it calls the answer of a layer."""

    def convolution(self, value: Value, conv: Convolution) -> Value:
        """A convolution with its bias and activation."""

    def upsample(self, value: Value) -> Value:
        """Twice the height and width, by nearest neighbour."""

    def add(self, one: Value, other: Value) -> Value:
        """The sum of two maps."""


def walk(network: Network, backend: Backend[Value], picture: Value) -> dict[str, Value]:
    """Have all layers computed, from the picture to the depth.

    Returns:
        Name of each step -> its answer, before it is doubled and another is added. The last is the depth, of half the
        picture's height and width.
    """
    answers: dict[str, Value] = {}
    value = picture
    for step in network.steps():
        for conv in step.convolutions:
            value = backend.convolution(value, conv)
        answers[step.name] = value
        if step.doubled:
            value = backend.upsample(value)
        if step.skip is not None:
            value = backend.add(value, answers[step.skip])
    return answers
