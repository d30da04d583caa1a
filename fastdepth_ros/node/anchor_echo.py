"""Sources that are this node's own depth: published by it, or made of it by who reads it.

depthimage_to_laserscan publishes on ``scan``, which a node hears by default: it would measure what it answered before,
find that it was right, and be surer with each frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from rclpy.node import Node

from fastdepth_ros.diagnostics.graph import full_name, joined, publishers_of, reader_of
from fastdepth_ros.errors import shortened

STAMPS = 256
"""Stamps of images that are remembered: those of 8 s at 30 Hz."""

DESCRIBES = "camera_info"
"""Output of which nobody makes depth."""


class Echo(NamedTuple):
    """Somebody who publishes a source and may make it of this node's depth.

    Attributes:
        by: its name.
        reads: the output of this node that it reads; empty where it is this node.
    """

    by: str
    reads: str


class Loops:
    """Finds who publishes a topic and reads a node's outputs, in the executor's thread.

    Args:
        node: whose outputs they are.
        outputs: its publishers, as they are at the time.
    """

    def __init__(self, node: Node, outputs: Callable[[], Sequence[Any]]) -> None:
        self._node = node
        self._outputs = outputs
        self._known: dict[str, tuple[object, Echo | None]] = {}

    def find(self, topic: str) -> Echo | None:
        """Find who makes a topic of this node's depth; None where nobody does, as far as the graph tells."""
        read = [each for each in self._outputs() if not each.topic_name.endswith(DESCRIBES)]
        counts = self._node.count_publishers(topic), [each.get_subscription_count() for each in read]
        known = self._known.get(topic)
        if known is None or known[0] != counts:  # asking the graph takes long, counting does not
            found = self._look(topic, [each.topic_name for each in read if each.get_subscription_count()])
            known = self._known[topic] = counts, found
        return known[1]

    def _look(self, topic: str, read: Sequence[str]) -> Echo | None:
        own = joined(self._node.get_namespace(), self._node.get_name())
        if any(full_name(each) == own for each in publishers_of(self._node, topic) or ()):
            return Echo(own, "")
        found = reader_of(self._node, topic, read)
        return None if found is None else Echo(*found)


class Echoes:
    """Knows which messages of sources are this node's own depth.

    Args:
        find: topic -> who makes it of this node's depth, see :class:`Loops`.
    """

    def __init__(self, find: Callable[[str], Echo | None]) -> None:
        self._find = find
        self._echoes: dict[str, Echo] = {}
        self._stamps: dict[float, None] = {}

    def look(self, topics: Sequence[tuple[str, str]]) -> None:
        """See who publishes sources, given with their topics; in the executor's thread."""
        found = {source: self._find(topic) for source, topic in topics}
        self._echoes = {source: echo for source, echo in found.items() if echo is not None}

    def answered(self, stamp: float) -> None:
        """Remember the stamp of an image [s], as long as somebody may make a source of its depth."""
        if not self._echoes:
            return
        self._stamps[stamp] = None
        if len(self._stamps) > STAMPS:
            del self._stamps[next(iter(self._stamps))]

    def why_not(self, source: str, stamp: float) -> str:
        """Why a message with this stamp [s] is not to be used; empty where it may be.

        Who reads depth and publishes something else besides, as a bridge does, has stamps of its own.
        """
        echo = self._echoes.get(source)
        if echo is None or (echo.reads and stamp not in self._stamps):
            return ""
        by, remedy = shortened(echo.by), f"Remap `{source}` to the sensor's topic, or to one that nobody publishes."
        if not echo.reads:
            return f"this node publishes it. {remedy}"
        return f"it is this node's own depth: {by} reads {echo.reads} and publishes it. {remedy}"
