"""Things that are made of a text, as a file's path, and kept until somebody wants them made anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

Made = TypeVar("Made")

MOST = 64
"""Things that are kept, the latest: more than the parameters of all cameras of a node name."""


class Remembered(Generic[Made]):
    """Makes a thing of a text once.

    Args:
        make: makes it. What it raises is not remembered.
    """

    def __init__(self, make: Callable[[str], Made]) -> None:
        self._make = make
        self._known: dict[str, Made] = {}
        self._lock = threading.Lock()

    def get(self, text: str, anew: bool = False) -> Made:
        """The thing of a text; from any thread.

        Args:
            text: of which it is made.
            anew: whether it is made again. Where that fails the one before is kept.
        """
        with self._lock:
            if not anew and text in self._known:
                return self._known[text]
        made = self._make(text)
        with self._lock:
            self._known.pop(text, None)
            self._known[text] = made
            if len(self._known) > MOST:
                del self._known[next(iter(self._known))]
        return made
