"""Suspicion that a sensor is none, but made of answers that were given.

Depth that measures itself gets surer with each frame, and no better.

Exact points are followed so closely that the next answer may agree with them. So answers that rest on a sensor say
nothing of it. One that agrees with those is left out for a few images: what is made of depth follows it then, and a
sensor does not.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastdepth_ros.anchoring.likeness import FOLLOWED, MOST, Answer, Likeness, Pool, Word, best

CONVICTS = 3
"""Words in a row, of answers that do not rest on it, by which a sensor is made of them."""

RELEASES = 3
"""Words in a row by which it is a sensor again."""

SELDOM = 32
"""A sensor that was found to be one is looked at with every so manyth message."""

PATIENCE = 32
"""Messages for which one is left out at most without a word."""

REST = 512
"""Messages for which one that was left out, and is a sensor, is believed whatever it says."""


class Suspicion:
    """Evidence on one sensor.

    Attributes:
        cleared: whether something of it was measured, so that a glance at it now and then does.
        withheld: whether its measurements are not to be used for now.
        convicted: whether it is made of answers.
    """

    def __init__(self) -> None:
        self.cleared = self.withheld = self.convicted = False
        self._pool = Pool()
        self._count = self._since = self._silent = self._rests = 0
        self._same = self._other = 0
        self._used = False

    def is_due(self) -> bool:
        """Whether the next message is to be compared; to be asked once for each."""
        self._count += 1
        if self._rests:
            self._rests -= 1
            return False
        return self.withheld or not self.cleared or self._count % SELDOM == 0

    def independent(self, answers: Iterable[Answer]) -> list[Answer]:
        """Answers that do not rest on it, while it is left out; else all."""
        return [each for each in answers if not self.withheld or each.number >= self._since]

    def word(self, found: list[Likeness]) -> Word:
        """Word of a message, together with those before it where it has few points.

        Args:
            found: the message beside each answer of which it may be made; none where there is nothing to compare with.
        """
        return self._pool.hear(best(found), FOLLOWED if self._used else MOST) if found else Word.NOTHING

    def hear(self, word: Word, number: int) -> bool:
        """Take in what a message says.

        Args:
            word: of it.
            number: of the answer that is made now.

        Returns:
            Whether what it has taught so far is to be forgotten.
        """
        if word is Word.SAME:
            return self._agrees(number)
        if word is Word.OTHER:
            self._differs()
        elif self.withheld and not self.convicted:
            self._silent += 1
            if self._silent >= PATIENCE:
                self._release()
        return False

    def used(self) -> None:
        """Its measurements are used for an answer."""
        self._used = True

    def _agrees(self, number: int) -> bool:
        self._other = self._silent = 0
        taught = self._used
        if not self.withheld:
            self.withheld, self._since, self._pool, self._used = True, number, Pool(), False
            self._same = 0 if taught else 1
            return taught
        self._same += 1
        self.convicted = self.convicted or self._same >= CONVICTS
        return False

    def _differs(self) -> None:
        self._same = 0
        self._other += 1
        if self.withheld and (not self.convicted or self._other >= RELEASES):
            self._rests = 0 if self.convicted else REST
            self._release()
        self.cleared = True

    def _release(self) -> None:
        self.withheld = self.convicted = False
        self._same = self._other = self._silent = 0
