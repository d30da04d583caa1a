"""Kernels of layers. Each is a frozen record of shapes that makes its TensorIR; equal records are one kernel.

Maps are those of ``compiler.layout``: channels in vectors, zeros around. Nothing is summed across tasks, so that any
number of threads gives the same bits.

base        what kernels share: their names, where they read and write, what is done to a number before it is written
full        convolutions of all channels
depthwise   convolutions of each channel by itself
narrowing   numbers become bytes, by a range that is found when the kernel runs
bytes       a map as bytes, and sums of products of bytes
separable   a depthwise and a pointwise convolution in one, by rows
maps        sums of maps, enlarging, interpolation, pooling
ends        the picture as a map, and a map as the answer
"""
