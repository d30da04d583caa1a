"""However much comes on /tf, an image waits for a bounded part of it, once."""

from __future__ import annotations

from types import SimpleNamespace

from anchor_messages import tf_message_of, transform_of

from fastdepth_ros.anchoring.transforms import TransformBuffer
from fastdepth_ros.messages.tf import MOST_AT_ONCE
from fastdepth_ros.node import anchor_tf
from fastdepth_ros.node.anchor_tf import AGAIN, WAITING, TfInput


class Counted(TransformBuffer):
    """Counts what it is given."""

    given = 0

    def put(self, *transform):
        self.given += 1
        super().put(*transform)

    def put_again(self, *transform):
        taken = super().put_again(*transform)
        self.given += taken
        return taken


def test_an_image_takes_tf_once_and_not_all_of_a_flood(monkeypatch):
    """Of messages of all sizes that tf's queue holds; six sources ask where their sensors are."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(anchor_tf, "time", SimpleNamespace(monotonic=lambda: clock.now))
    large = tf_message_of(*(transform_of("base", f"joint{number}") for number in range(400)))
    flood = SimpleNamespace(take=lambda: [(large, {})] * WAITING)
    buffer = Counted()
    heard = TfInput(buffer)
    heard._subscribers = [(flood, False)]
    for _ in range(6):
        heard.hear()
    assert 0 < buffer.given <= MOST_AT_ONCE
    clock.now += 2 * AGAIN
    heard.hear()
    assert MOST_AT_ONCE < buffer.given <= 2 * MOST_AT_ONCE
    assert heard.wanted
