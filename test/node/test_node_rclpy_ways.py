"""The way to use rclpy is chosen by its release."""

from __future__ import annotations

import pytest

from fastdepth_ros.node.rclpy_ways.choice import choose


def test_the_way_is_chosen_by_the_release_of_rclpy() -> None:
    assert choose({}, "9.1.7")[0].name == "private"
    assert choose({}, "7.1.1")[1] == "fast: rclpy 7.1.1"
    for release in ("3.3.16", "9.2.0", "91.0", ""):
        chosen, words = choose({}, release)
        assert chosen.name == "plain"
        assert words.startswith("plain: rclpy")
    chosen, words = choose({"FASTDEPTH_PLAIN_RCLPY": "1"}, "9.1.2")
    assert (chosen.name, "as FASTDEPTH_PLAIN_RCLPY wants it" in words) == ("plain", True)
    assert choose({"FASTDEPTH_PLAIN_RCLPY": "0"}, "9.1.2")[0].name == "private"


class OlderPublisher:
    """What an rclpy does whose pybind11 makes no string of a bytearray."""

    def __init__(self) -> None:
        self.published = []
        self.handle = self

    def get_subscription_count(self) -> int:
        return len(self.published)

    def publish_raw(self, message: bytes) -> None:
        if not isinstance(message, bytes):
            raise TypeError
        self.published.append(message)


def test_an_rclpy_that_publishes_bytes_alone_is_given_them():
    private = pytest.importorskip("fastdepth_ros.node.rclpy_ways.private", reason="this rclpy is not known")
    older = OlderPublisher()
    publisher = private.PrivatePublisher(older)
    publisher.publish(bytearray(b"serialized"))
    assert (older.published, publisher.count()) == ([b"serialized"], 1)
