"""Messages that were published and never came."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Gaps:
    """Counts the gaps in publishers' sequence numbers, as the middleware hands them over with each message."""

    def __init__(self) -> None:
        self._last: dict[bytes, int] = {}

    def lost(self, info: Mapping[str, Any]) -> int:
        """How many messages are missing between this one and the one before, of the same publisher.

        Args:
            info: of rclpy, with the message. Where a middleware numbers no messages, none are missed.
        """
        number: int | None = info.get("publication_sequence_number")
        if number is None:
            return 0
        publisher = bytes((info.get("publisher_gid") or {}).get("data", b""))
        before = self._last.get(publisher, number - 1)
        self._last[publisher] = number
        return max(0, number - before - 1)
