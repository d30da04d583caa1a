"""Sources that are this node's own depth: published by it, or made of it by whoever reads it.

depthimage_to_laserscan publishes on ``scan``, which a node hears by default: it would measure what it answered before,
find that it was right, and be surer with each frame. Who reads depth tells little: one process may drive the camera and
a lidar, and read depth besides, and a relay stands between whoever reads and what is heard. So what a source says is
held against the answers; the graph only gives a name to who is found out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from rclpy.node import Node

from fastdepth_ros.anchoring.likeness import ENOUGH, Answer, Likeness, Word, likeness
from fastdepth_ros.anchoring.sightings import Measurement
from fastdepth_ros.anchoring.suspicion import Suspicion
from fastdepth_ros.diagnostics.graph import joined, reader_of
from fastdepth_ros.errors import AnchorError, shortened
from fastdepth_ros.messages.measurements import READERS
from fastdepth_ros.pipeline.frame import Cells

KEPT, SENT = 16, 3
"""Answers that measurements of their stamps are held against, half a second at 30 Hz, and messages made of some."""

LATEST = 3
"""Answers that measurements of other stamps are held against: somebody may have given them new ones. Of a source that
was cleared it is one, for a scan beside one answer takes a millisecond."""

MOST = 64
"""Sensors that are watched at most: a driver may name each message's frame anew."""

DERIVED = {"scan": "scan", "obstacles": "anchors"}
"""Outputs that are no depth of cells -> source that reads messages of their type."""

DESCRIBES = "camera_info"
"""Output of which nobody makes depth."""


class Echo(NamedTuple):
    """Somebody who publishes a source, and may make it of this node's depth.

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
        """Find who may make a topic of this node's depth; None where the graph tells of nobody."""
        outputs = self._outputs()
        if any(each.topic_name == topic for each in outputs):  # not by a name, which anybody may take
            return Echo(joined(self._node.get_namespace(), self._node.get_name()), "")
        read = [each for each in outputs if not each.topic_name.endswith(DESCRIBES)]
        counts = self._node.count_publishers(topic), [each.get_subscription_count() for each in read]
        known = self._known.get(topic)
        if known is None or known[0] != counts:  # asking the graph takes long, counting does not
            found = self._look(topic, [each.topic_name for each in read if each.get_subscription_count()])
            known = self._known[topic] = counts, found
        return known[1]

    def _look(self, topic: str, read: Sequence[str]) -> Echo | None:
        found = reader_of(self._node, topic, read)
        return None if found is None else Echo(*found)


class Judgement(NamedTuple):
    """Judgement on a measurement.

    Attributes:
        is_used: whether it is to be used.
        why_not: what is to be said of it; empty where nothing is known for certain.
        taken_back: whether what its sensor has taught is to be forgotten.
    """

    is_used: bool
    why_not: str = ""
    taken_back: bool = False


USED = Judgement(True)


class _Watched:
    """A sensor that is watched.

    Attributes:
        suspicion: evidence on it.
        heard: its last messages: that of an image, and one that came since.
        taken_back: whether what it has taught is to be forgotten with the next image.
    """

    def __init__(self) -> None:
        self.suspicion = Suspicion()
        self.heard: deque[Any] = deque(maxlen=2)
        self.taken_back = False


class Echoes:
    """Knows which measurements are this node's own depth. But for :meth:`look`, for the thread that answers images.

    Args:
        find: topic -> who may make it of this node's depth, see :class:`Loops`.

    Attributes:
        watches: whether answers are wanted: somebody publishes a source.
    """

    def __init__(self, find: Callable[[str], Echo | None]) -> None:
        self.watches = False
        self._find = find
        self._graph: Mapping[str, Echo | None] = {}
        self._answers: deque[Answer] = deque(maxlen=KEPT)
        self._number = 0
        self._derived: dict[str, deque[bytes]] = {}
        self._watched: dict[tuple[str, str], _Watched] = {}

    def look(self, topics: Sequence[tuple[str, str]]) -> None:
        """See who publishes sources, given with their topics; in the executor's thread."""
        self._graph = {source: self._find(topic) for source, topic in topics}
        self.watches = bool(topics)

    def answered(self, stamp: float, cells: Cells) -> None:
        """Remember the answer to the image of this stamp [s], as long as somebody publishes a source."""
        if not self.watches or cells.seen is None:
            return
        self._answers.append(Answer(self._number, stamp, cells.metres.copy(), cells.seen))
        self._number += 1

    def derived(self, name: str, message: bytes | bytearray) -> None:
        """Remember a serialized message that was made of an answer, if one of its kind may come back as a source."""
        source = DERIVED.get(name)
        if source is not None and source in self._graph:
            self._derived.setdefault(source, deque(maxlen=SENT)).append(bytes(message))

    def compare(self, source: str, message: Any, then: Callable[[], Measurement]) -> None:
        """Hold a message against the answers, as :meth:`judge` does with one that it does not know.

        A comparison takes as long as the correction: done before its image comes, nobody waits for it.

        Args:
            source, message, then: as for :meth:`judge`.
        """
        if not self._is_own(source):
            self._hear(source, message, then)

    def judge(self, source: str, message: Any, then: Callable[[], Measurement]) -> Judgement:
        """Judge a message.

        Args:
            source: its name.
            message: as it was read.
            then: brings it to where its sensor was at its own time, in the camera's frame.
        """
        if self._is_own(source):
            return Judgement(False, f"this node publishes it. {_remedy(source)}")
        watched = self._hear(source, message, then)
        suspicion, taken_back = watched.suspicion, watched.taken_back
        watched.taken_back = False
        if suspicion.convicted:
            whose = _whose(self._graph.get(source))
            return Judgement(False, f"it is this node's own depth: {whose}. {_remedy(source)}", taken_back)
        if suspicion.withheld:
            return Judgement(False, "", taken_back)
        suspicion.used()
        return USED

    def _is_own(self, source: str) -> bool:
        graph = self._graph.get(source)
        return graph is not None and not graph.reads

    def _hear(self, source: str, message: Any, then: Callable[[], Measurement]) -> _Watched:
        """Take in a sensor's message, unless it is known."""
        key = source, message.header.frame_id
        watched = self._watched.get(key)
        if watched is None:
            watched = self._watched[key] = _Watched()
            if len(self._watched) > MOST:
                del self._watched[next(iter(self._watched))]
        suspicion = watched.suspicion
        if not any(each is message for each in watched.heard):
            watched.heard.append(message)
            if suspicion.is_due():
                sent = any(_is_same(source, message, each) for each in self._derived.get(source, ()))
                word = Word.SAME if sent else suspicion.word(self._compared(message, then, suspicion))
                watched.taken_back = suspicion.hear(word, self._number) or watched.taken_back
        return watched

    def _compared(self, message: Any, then: Callable[[], Measurement], suspicion: Suspicion) -> list[Likeness]:
        """A message beside the answers of which it may be made: that of its stamp, else the latest."""
        stamp = message.header.seconds
        own = [each for each in self._answers if each.stamp == stamp]
        glance = suspicion.cleared and not suspicion.withheld
        answers = suspicion.independent(own or list(self._answers)[-1 if glance else -LATEST :])
        if not answers:
            return []
        try:
            measurement = then()
        except AnchorError:
            return []
        found = [likeness(measurement, each) for each in answers]
        # A few readings are near to one of many answers by chance.
        return [each for each in found if each is not None and (own or len(each.logs) >= ENOUGH)]


def _is_same(source: str, message: Any, sent: bytes) -> bool:
    """Whether a message holds the points of one that this node has sent, whatever became of its stamp."""
    points = READERS[source](sent)
    return points.xyz.shape == message.xyz.shape and len(points.xyz) > 0 and np.allclose(points.xyz, message.xyz)


def _whose(graph: Echo | None) -> str:
    if graph is None:
        return "it says the same as depth does, cell by cell"
    return f"{shortened(graph.by)} reads {graph.reads} and publishes it"


def _remedy(source: str) -> str:
    return f"Remap `{source}` to the sensor's topic, or to one that nobody publishes."
