"""From stages to a program: their kernels, and the main function that calls them in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from tvm import relax

from fastdepth_ros.compiler.anchors import anchor_kernels
from fastdepth_ros.compiler.filters import filter_kernels
from fastdepth_ros.compiler.plan import PICTURE, Stage
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import INPUT_CHANNELS


@dataclass(frozen=True)
class Program:
    """Everything that a module is compiled from.

    Attributes:
        main: makes the Relax module: ``main(picture (height, width * 3) uint8) -> depth (height / 2, width / 2)
            float32``. It holds the weights and calls the kernels by name. To pack the weights takes a second, in which
            other processes compile kernels.
        kernels: name -> TensorIR function, in the order in which they are called; behind them those that Python
            calls: they correct its answers with measured depths, or do what filters do.
    """

    main: Callable[[], Any]
    kernels: dict[str, Any]


def build(
    stages: Sequence[Stage],
    tilings: Mapping[str, Tiling],
    height: int,
    width: int,
    lanes: int,
    *,
    anchors: bool = True,
) -> Program:
    """The program of these stages for pictures of ``height`` x ``width``.

    Args:
        stages: of the network.
        tilings: a choice for each.
        height, width: of the picture [px].
        lanes: numbers of a vector.
        anchors: whether it has the kernels that anchors need.
    """
    kernels = {stage.name: stage.kernel(tilings[stage.name]) for stage in stages}
    main = partial(_main, stages, tilings, height, width)
    beside = anchor_kernels(stages[-1].shape, lanes) if anchors else {}
    return Program(main, kernels | beside | filter_kernels(height, width, lanes))


def _main(stages: Sequence[Stage], tilings: Mapping[str, Tiling], height: int, width: int) -> Any:
    builder = relax.BlockBuilder()
    picture = relax.Var(PICTURE, relax.TensorType((height, width * INPUT_CHANNELS), "uint8"))
    values = {PICTURE: picture}
    with builder.function("main", [picture]):
        with builder.dataflow():
            for stage in stages:
                weights = [relax.const(np.ascontiguousarray(a)) for a in stage.arrays(tilings[stage.name])]
                arguments = [*(values[name] for name in stage.reads), *weights]
                answer = relax.TensorType(stage.shape, stage.dtype)
                values[stage.name] = builder.emit(relax.call_dps_packed(stage.name, arguments, answer))
            depth = builder.emit_output(values[stages[-1].name])
        builder.emit_func_output(depth)
    return builder.get()
