"""A layer as every kind begins: what it is asked, and the checks that kinds share."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod
from typing import ClassVar

MOST_KERNEL = 31
MOST_STRIDE = 8


class MisfitError(ValueError):
    """Maps or numbers do not suit a layer; the message is a cause without the layer's name."""


@dataclass(frozen=True)
class Layer:
    """A layer that reads one map pixel by pixel, and neither weighs nor multiplies: what every kind begins with.

    Attributes:
        word: what manifests and rows of an entry call the kind.
        joins: whether it reads two maps or more.
    """

    word: ClassVar[str]
    joins: ClassVar[bool] = False

    def check(self) -> None:
        """Hold its own numbers and words against what is allowed.

        Raises:
            MisfitError: one is not.
        """

    def channels(self, *read: int) -> int:
        """Channels of its answer, for those of the maps that it reads.

        Raises:
            MisfitError: it cannot read them.
        """
        return read[0]

    @property
    def scale(self) -> Fraction:
        """Side of its answer by the side of what it reads, where nothing is cut off."""
        return Fraction(1)

    def side(self, side: int) -> int:
        """Height of its answer for the height of what it reads [px]; the same for widths."""
        return int(side * self.scale)

    @property
    def reach(self) -> int:
        """Pixels of what it reads, on one axis, that a pixel of its answer depends on, less one."""
        return 0

    def weight_shape(self, inputs: int) -> tuple[int, int, int, int] | None:
        """Shape of its weights for ``inputs`` channels; None where it has none."""
        del inputs
        return None

    def weights(self, inputs: int) -> int:
        """Number of its weights, without bias and batch normalisation: as the papers count."""
        shape = self.weight_shape(inputs)
        return prod(shape) if shape else 0

    def macs(self, inputs: int, pixels: int) -> int:
        """Multiply-accumulates for an answer of ``pixels``: every weight at each, as the papers count."""
        return self.weights(inputs) * pixels


def window(kernel: object, stride: object) -> None:
    """Refuse a kernel or stride that no window has."""
    between("kernel", kernel, MOST_KERNEL)
    between("stride", stride, MOST_STRIDE)
    if isinstance(kernel, int) and kernel % 2 == 0:
        raise MisfitError(f"its kernel is {kernel}, and an even kernel has no middle")


def between(what: str, value: object, most: int) -> None:
    """Refuse what is no whole number from 1 to ``most``."""
    if type(value) is not int or not 1 <= value <= most:
        raise MisfitError(f"its {what} is {value!r:.40}, and 1 to {most} are allowed")


def known(what: str, value: object, words: tuple[str, ...]) -> None:
    """Refuse a word that is not one of ``words``."""
    if value not in words:
        raise MisfitError(f"its {what} is {value!r:.40}, and {', '.join(words)} are known")
