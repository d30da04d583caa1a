"""Networks as data: FastDepth's table and the way through it, and graphs of layers. Knows of nobody who compiles them.

FastDepth, which ships, is a table of three rows (``table.py``, ``walk.py``). Each network is a graph of layers, too
(``graph.py``, ``kinds.py``) by a name (``entries``), counted in ``count.py`` and computed plainly in ``plain.py``.
"""

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
from fastdepth_ros.network.walk import Backend, walk

__all__ = [
    "DECODER_KERNEL",
    "ENCODER_STRIDES",
    "FULL",
    "INPUT_CHANNELS",
    "NETWORKS",
    "PRUNED",
    "Activation",
    "Backend",
    "Block",
    "Convolution",
    "Kind",
    "Network",
    "Step",
    "check_weights",
    "walk",
]
