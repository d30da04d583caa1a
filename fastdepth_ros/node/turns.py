"""Several cameras take turns at one network: whoever was answered longest ago comes first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Generic, NamedTuple, TypeVar

from fastdepth_ros.node.rclpy_ways.interface import Taker

Taken = TypeVar("Taken")


class Turn(NamedTuple):
    """An image, and whose turn it is.

    Attributes:
        camera: its number, in the order of the sources.
        image: to be answered.
    """

    camera: int
    image: Any


class Turns(Generic[Taken]):
    """Takes the images of several cameras in turn; an inbox waits for all of them at once.

    A camera's image waits in its own subscription until it is that camera's turn, and a newer one replaces it there: so
    the newest is answered, and one that sends fast, or is never silent, waits for the others after each of its images.
    One that has nothing to be answered, as it is silent or beyond its ``max_rate``, is passed over and keeps its place.

    Args:
        sources: of the cameras.
    """

    def __init__(self, sources: Sequence[Taker[Taken]]) -> None:
        self._sources = tuple(sources)
        self._order = list(range(len(self._sources)))

    @property
    def waited(self) -> Sequence[Any]:
        """Subscribers whose messages are waited for."""
        return [subscriber for source in self._sources for subscriber in source.waited]

    @property
    def besides(self) -> Sequence[Any]:
        """Subscribers whose messages are made ready before they are needed."""
        return [subscriber for source in self._sources for subscriber in source.besides]

    @property
    def is_behind(self) -> bool:
        """Whether a camera's answer left something over."""
        return any(source.is_behind for source in self._sources)

    def prepare(self) -> None:
        """Do what answers left over, and make ready what came besides, of all cameras."""
        for source in self._sources:
            source.prepare()

    def take(self, waited_since: int) -> Turn | None:
        """Take the image of the camera that was answered longest ago, of those that have one.

        Args:
            waited_since: when the wait for images began, by the system's clock [ns].
        """
        for number in tuple(self._order):
            image = self._sources[number].take(waited_since)
            if image is not None:
                self._order.remove(number)
                self._order.append(number)
                return Turn(number, image)
        return None


def shares(total: float, limits: Sequence[float], sends: Sequence[bool]) -> list[float]:
    """Divide a rate among cameras: evenly, and what one may not use goes to the others.

    Args:
        total: images a second that are answered at most, of all cameras [Hz]; 0 is all of them.
        limits: the same of each camera by itself.
        sends: whether each sends images at present. One that does not takes nothing from the others; it has what would
            be its even share, for its first images.

    Returns:
        Limit of each camera [Hz]; 0 is none.
    """
    if total <= 0:
        return list(limits)
    found = [_lower(limit, total / len(limits)) for limit in limits]
    sending = sorted((number for number, each in enumerate(sends) if each), key=lambda n: limits[n] or math.inf)
    left = total
    for count, number in enumerate(sending):
        found[number] = _lower(limits[number], left / (len(sending) - count))
        left -= found[number]
    return found


def _lower(limit: float, share: float) -> float:
    return min(limit or math.inf, share)


def together(limits: Sequence[float]) -> float:
    """The limit of all cameras together [Hz] that follows from those of each; 0 is none."""
    return sum(limits) if all(limits) else 0.0
