"""FastDepth as data: the table of layers, and the way through it. Knows of nobody who computes it."""

from fastdepth_ros.network.table import (
    DECODER_KERNEL,
    ENCODER_STRIDES,
    FULL,
    INPUT_CHANNELS,
    NETWORKS,
    PRUNED,
    Activation,
    Block,
    Convolution,
    Kind,
    Network,
    Step,
    check_weights,
)
from fastdepth_ros.network.walk import Graph, walk

__all__ = [
    "DECODER_KERNEL",
    "ENCODER_STRIDES",
    "FULL",
    "INPUT_CHANNELS",
    "NETWORKS",
    "PRUNED",
    "Activation",
    "Block",
    "Convolution",
    "Graph",
    "Kind",
    "Network",
    "Step",
    "check_weights",
    "walk",
]
