"""Work that an answer leaves over: notes of its correction, and what only the next images need."""

from __future__ import annotations

from collections.abc import Callable


class LeftOver:
    """Work that nobody waits for, done before the next image, or earlier, once the thread has nothing else to do.

    Who hears depth wakes up as it is published, often on the core of the thread that published it. Were that to work on
    at once, he would wait for it: with anchors four times of ten, for half a millisecond or more.

    Args:
        failed: is told of an exception, which ends the work.
    """

    def __init__(self, failed: Callable[[Exception], None]) -> None:
        self._failed = failed
        self._work: Callable[[], object] | None = None

    @property
    def is_there(self) -> bool:
        """Whether there is any."""
        return self._work is not None

    def leave(self, work: Callable[[], object]) -> None:
        """Leave work over; what was there is done first."""
        self.finish()
        self._work = work

    def finish(self) -> None:
        """Do it."""
        work, self._work = self._work, None
        if work is None:
            return
        try:
            work()
        except Exception as error:
            self._failed(error)
