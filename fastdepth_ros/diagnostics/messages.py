"""Statuses as diagnostic_msgs."""

from __future__ import annotations

from collections.abc import Iterable

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from fastdepth_ros.cdr import STAMP_ENDS, Fields
from fastdepth_ros.diagnostics.status import Status
from fastdepth_ros.errors import LONGEST, Level, brief


def diagnostic_array(statuses: Iterable[Status], node: str, hardware: str, stamp: Time) -> DiagnosticArray:
    """The message for /diagnostics.

    Args:
        statuses: one a part.
        node: name of the node; statuses are called "node: part", which rqt_robot_monitor and the aggregator group.
        hardware: the machine on which the node runs.
        stamp: now, in the node's clock.
    """
    array = DiagnosticArray()
    array.header.stamp = stamp
    array.status = [
        DiagnosticStatus(
            level=bytes((status.level.byte,)),
            name=f"{node}: {status.about}",
            # Names of other nodes, of frames and of the board's files are among it, whoever chose them.
            message=brief(status.message, 4 * LONGEST),
            hardware_id=brief(hardware),
            values=[KeyValue(key=brief(key), value=brief(value, 4 * LONGEST)) for key, value in status.values.items()],
        )
        for status in statuses
    ]
    return array


def read_statuses(serialized: bytes) -> list[tuple[str, Status]]:
    """The statuses of a serialized diagnostic_msgs/DiagnosticArray, each with the name of its node.

    Raises:
        ValueError: it ends early, or is encapsulated in a way that is not known.
    """
    fields = Fields(serialized)
    fields.skip(STAMP_ENDS)
    fields.string()
    return [_read_status(fields) for _ in range(fields.count(_STATUS_BYTES))]


_STATUS_BYTES, _PAIR_BYTES = 17, 8
"""Bytes of the shortest of each: the lengths of its strings and its sequence, and the level."""


def _read_status(fields: Fields) -> tuple[str, Status]:
    level = Level.of(fields.byte())
    node, _, part = fields.string().rpartition(": ")
    message, _ = fields.string(), fields.string()
    values = {fields.string(): fields.string() for _ in range(fields.count(_PAIR_BYTES))}
    return node, Status(level, message, about=part, values=values)
