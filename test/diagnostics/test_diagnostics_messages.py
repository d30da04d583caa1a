"""Statuses become messages, and are read back from their bytes."""

from __future__ import annotations

import pytest
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message

from fastdepth_ros.diagnostics.messages import diagnostic_array, read_statuses
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import Level

STATUSES = [
    Status(Level.OK, "active", about="node", values={"model": "m", "target": "host"}),
    Status(Level.ERROR, "no image", about="input"),
    Status(Level.WARN, "", about="power", values={"": ""}),
]
MESSAGE = serialize_message(diagnostic_array(STATUSES, "eye/fastdepth", "robot", Time(sec=3)))


def test_statuses_are_read_back():
    assert read_statuses(MESSAGE) == [("eye/fastdepth", status) for status in STATUSES]


@pytest.mark.parametrize("data", [b"", b"\0\1\0\1", b"\0\2" + MESSAGE[2:], MESSAGE[:-9], MESSAGE[:20]])
def test_what_is_no_message_is_refused(data):
    with pytest.raises(ValueError, match=r"bytes|encapsulation"):
        read_statuses(data)


def test_more_statuses_than_bytes_are_refused_at_once():
    with pytest.raises(ValueError, match="4294967295"):
        read_statuses(MESSAGE[:20] + b"\xff" * 4 + MESSAGE[24:])
