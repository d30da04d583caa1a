"""Sources whose messages are made ready before their image comes: those of which that is of use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

REST = 30
"""Images for which nothing of a source is made ready after it was in vain: a newer message came before the image."""


class Ahead:
    """Notes of what was made ready, by name of source. All of it is for the thread that answers images."""

    def __init__(self) -> None:
        self._moving: set[str] = set()
        self._rests: dict[str, int] = {}
        self._ready: dict[str, Any] = {}

    def is_of_use(self, source: str) -> bool:
        """Whether messages of a source are to be made ready."""
        return source not in self._moving and source not in self._rests

    def made(self, source: str, message: Any) -> None:
        """Note a message that is ready."""
        self._ready[source] = message

    def moved(self, source: str) -> None:
        """Note that a sensor was elsewhere when its image came: from now on it is placed then."""
        self._moving.add(source)

    def used(self, source: str, messages: Sequence[Any]) -> None:
        """Note the messages that an image took. A source that speaks more often than images come is to rest."""
        ready = self._ready.pop(source, None)
        if ready is not None and all(each is not ready for each in messages):
            self._rests[source] = REST
        elif source in self._rests:
            self._rests[source] -= 1
            if not self._rests[source]:
                del self._rests[source]
