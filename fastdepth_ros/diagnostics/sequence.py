"""Messages that were published and never came."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

FASTEST = 1000.0
"""Messages a second that a publisher can have sent [Hz]. A gap of more is no loss: the count began anew."""

BURST = 100
"""Messages that it can have sent at once besides."""

PUBLISHERS = 64
"""Publishers that are remembered; whoever forges others makes the oldest forgotten."""


class Gaps:
    """Counts the gaps in publishers' sequence numbers, as the middleware hands them over with each message.

    Args:
        clock: real time [s].
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last: dict[bytes, tuple[int, float]] = {}

    def lost(self, info: Mapping[str, Any]) -> int:
        """Number of messages missing between this one and the one before, of the same publisher.

        A gap of more than can have been sent meanwhile is a new start, and nothing is missing.

        Args:
            info: rclpy's, which came with the message. If a middleware numbers no messages, none are missed.
        """
        number: int | None = info.get("publication_sequence_number")
        if number is None:
            return 0
        publisher, now = bytes((info.get("publisher_gid") or {}).get("data", b"")), self._clock()
        # Taken out and put in again, so that the first is the one that was silent for longest.
        before, since = self._last.pop(publisher, (number - 1, now))
        self._last[publisher] = number, now
        if len(self._last) > PUBLISHERS:
            del self._last[next(iter(self._last))]
        missing = number - before - 1
        return missing if 0 < missing <= BURST + FASTEST * (now - since) else 0
