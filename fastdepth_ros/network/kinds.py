"""Kinds of layers: a class each, with its shape rule, its weights, its multiply-accumulates and its receptive field.

A kind knows nothing of a graph: it is asked with channels, sides of maps and numbers of pixels. Kernels are square, and
height and width follow the same rule, so that a rule is told for one side. Batch normalisation is folded into weights
and bias (Jacob et al., arXiv 1712.05877, section 3.2); ``offset`` says what the bias was made of.

A new kind is a class here and an entry of :data:`KINDS`, its numbers in ``plain.py``, its module in
``training/graph_network.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from fastdepth_ros.network.layer import MOST_KERNEL, MOST_STRIDE, Layer, MisfitError, between, known, window
from fastdepth_ros.network.table import MOST_CHANNELS

Activation = Literal["none", "relu", "relu6", "hard-swish"]
"""``hard-swish`` is x * min(max(x + 3, 0), 6) / 6 (Howard et al., arXiv 1905.02244, section 5.2)."""

Offset = Literal["norm", "bias", "none"]
"""Added after a convolution: what batch normalisation leaves when it is folded, a bias of its own, or nothing."""

Mode = Literal["nearest", "bilinear", "bilinear-corners"]
"""Manner of upsampling: ``bilinear`` keeps the pixels' areas, ``bilinear-corners`` the centres of the corner pixels
(``align_corners`` false and true in torch)."""


@dataclass(frozen=True)
class Weighted(Layer):
    """A convolution of any kind: its kernel, stride, activation, and what is added before the activation."""

    kernel: int = 1
    stride: int = 1
    activation: Activation = "relu"
    offset: Offset = "norm"

    def check(self) -> None:
        window(self.kernel, self.stride)
        known("activation", self.activation, get_args(Activation))
        known("offset", self.offset, get_args(Offset))

    @property
    def scale(self) -> Fraction:
        return Fraction(1, self.stride)

    def side(self, side: int) -> int:
        return (side - 1) // self.stride + 1  # (side + 2 (k // 2) - k) // stride + 1, and k is odd

    @property
    def reach(self) -> int:
        return self.kernel - 1

    def parameters(self, inputs: int) -> int:
        """Numbers that training finds: weights, and a bias, or batch normalisation's factor and offset, a channel."""
        return self.weights(inputs) + {"norm": 2, "bias": 1, "none": 0}[self.offset] * self.channels(inputs)


@dataclass(frozen=True)
class Full(Weighted):
    """A convolution of all channels, padded with ``kernel // 2`` zeros on every side; pointwise where the kernel is 1.

    Weights are in the order (output, input, row, column).
    """

    word = "full"
    outputs: int = 0

    def check(self) -> None:
        super().check()
        between("outputs", self.outputs, MOST_CHANNELS)

    def channels(self, *_read: int) -> int:
        return self.outputs

    def weight_shape(self, inputs: int) -> tuple[int, int, int, int]:
        return (self.outputs, inputs, self.kernel, self.kernel)


@dataclass(frozen=True)
class Depthwise(Weighted):
    """A convolution of each channel by itself, padded like :class:`Full`; weights are (channel, 1, row, column)."""

    word = "depthwise"

    def weight_shape(self, inputs: int) -> tuple[int, int, int, int]:
        return (inputs, 1, self.kernel, self.kernel)


@dataclass(frozen=True)
class Transposed(Weighted):
    """A transposed convolution that makes a map exactly ``stride`` times as large.

    It puts ``stride - 1`` zeros between pixels, and convolves. Its padding, as torch's ``ConvTranspose2d`` counts it,
    is ``(kernel - stride + more) // 2`` with ``more`` = (kernel - stride) % 2 rows and columns at the end
    (``output_padding``). Weights are in the order (input, output, row, column), as torch and ONNX have them.
    """

    word = "transposed"
    outputs: int = 0

    def check(self) -> None:
        between("kernel", self.kernel, MOST_KERNEL)
        between("stride", self.stride, MOST_STRIDE)
        if self.kernel < self.stride:
            raise MisfitError(
                f"its kernel {self.kernel} is smaller than its stride {self.stride}: pixels would stay empty"
            )
        between("outputs", self.outputs, MOST_CHANNELS)
        known("activation", self.activation, get_args(Activation))
        known("offset", self.offset, get_args(Offset))

    def channels(self, *_read: int) -> int:
        return self.outputs

    @property
    def more(self) -> int:
        """Rows and columns at the end: torch's ``output_padding``."""
        return (self.kernel - self.stride) % 2

    @property
    def padding(self) -> int:
        """Rows and columns that are cut off the full answer at the beginning: torch's ``padding``."""
        return (self.kernel - self.stride + self.more) // 2

    @property
    def scale(self) -> Fraction:
        return Fraction(self.stride)

    def side(self, side: int) -> int:
        return side * self.stride

    @property
    def reach(self) -> int:
        return -(-self.kernel // self.stride) - 1

    def weight_shape(self, inputs: int) -> tuple[int, int, int, int]:
        return (inputs, self.outputs, self.kernel, self.kernel)


@dataclass(frozen=True)
class Unpool(Layer):
    """Zero-insertion: each value in the top left of ``factor`` x ``factor`` pixels, zeros in the others."""

    word = "unpool"
    factor: int = 2

    def check(self) -> None:
        between("factor", self.factor, MOST_STRIDE)

    @property
    def scale(self) -> Fraction:
        return Fraction(self.factor)


@dataclass(frozen=True)
class Upsample(Unpool):
    """``factor`` times the height and width, by nearest neighbour or bilinear interpolation."""

    word = "upsample"
    mode: Mode = "nearest"

    def check(self) -> None:
        super().check()
        known("mode", self.mode, get_args(Mode))

    @property
    def reach(self) -> int:
        return 0 if self.mode == "nearest" else 1


@dataclass(frozen=True)
class MaxPool(Layer):
    """The largest of ``kernel`` x ``kernel`` pixels; beyond the edge nothing counts."""

    word = "max-pool"
    kernel: int = 3
    stride: int = 2

    def check(self) -> None:
        window(self.kernel, self.stride)

    @property
    def scale(self) -> Fraction:
        return Fraction(1, self.stride)

    def side(self, side: int) -> int:
        return (side - 1) // self.stride + 1

    @property
    def reach(self) -> int:
        return self.kernel - 1


@dataclass(frozen=True)
class Add(Layer):
    """The sum of maps of the same channels, and an activation behind it."""

    word = "add"
    joins = True
    activation: Activation = "none"

    def check(self) -> None:
        known("activation", self.activation, get_args(Activation))

    def channels(self, *read: int) -> int:
        if len(set(read)) != 1:
            raise MisfitError(f"it adds maps of {' and '.join(map(str, read))} channels")
        return read[0]


@dataclass(frozen=True)
class Concatenate(Layer):
    """Channels of several maps, one after another."""

    word = "concatenate"
    joins = True

    def channels(self, *read: int) -> int:
        return sum(read)


KINDS: dict[str, type[Layer]] = {
    kind.word: kind for kind in (Full, Depthwise, Transposed, Unpool, Upsample, MaxPool, Add, Concatenate)
}
"""Word of a kind -> its class."""
