"""Statuses as diagnostic_msgs."""

from __future__ import annotations

from collections.abc import Iterable

from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

from fastdepth_ros.diagnostics.levels import Status
from fastdepth_ros.errors import LONGEST, brief

_LEVELS = (DiagnosticStatus.OK, DiagnosticStatus.WARN, DiagnosticStatus.ERROR)


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
            level=_LEVELS[status.level],
            name=f"{node}: {status.part}",
            # Names of other nodes, of frames and of the board's files are among it, whoever chose them.
            message=brief(status.message, 4 * LONGEST),
            hardware_id=brief(hardware),
            values=[KeyValue(key=brief(key), value=brief(value, 4 * LONGEST)) for key, value in status.values.items()],
        )
        for status in statuses
    ]
    return array
