"""Compiled networks whose kernel calls can be timed one by one: by the laboratory's plan, or by that of bundles."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.errors import SettingError
from fastdepth_ros.lowering.build import compile_graph
from fastdepth_ros.network.fastdepth import table_of
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.runtime.bundle import Manifest, write_bundle
from fastdepth_ros.runtime.engine import configure_pool, load_machine, tvm_ffi
from fastdepth_ros.runtime.graph_engine import GraphEngine
from fastdepth_ros.runtime.graph_module import GraphModule
from fastdepth_ros.runtime.module import CompiledModule

Clock = Callable[[], float]

GRAPH = "graph"
PLANS = (GRAPH, "float32", "int8")
"""Kernels that a table can be of: the laboratory's, which compute any graph in float32, or those of bundles, which are
variants of FastDepth, in float32 or int8."""


class Timed(Protocol):
    """A compiled network.

    Attributes:
        layers: of each kernel call, in words; layers of one call are separated by spaces.
    """

    layers: list[str]

    def run(self) -> None:
        """Run once."""

    def timed(self, clock: Clock) -> list[float]:
        """Run once, and give the duration of each call, in the order of ``layers``."""


def compiled(graph: Graph, plan: str, target: str, folder: Path, size: tuple[int, int], threads: int) -> Timed:
    """A network with weights of noise, compiled.

    Args:
        graph: the network.
        plan: one of :data:`PLANS`.
        target: the processor, which has to be this one.
        folder: for its module; compiled kernels of graphs are kept in ``objects`` beside it.
        size: height and width of the picture [px].
        threads: to run with.

    Raises:
        SettingError: there is no such plan, or the network is no variant of FastDepth and the plan is of bundles.
        NetworkError: a layer has no kernel, or the network cannot take such a picture.
    """
    if plan not in PLANS:
        raise SettingError(f"there are no kernels called {plan!r}", f"Choose of {', '.join(PLANS)}.")
    if plan == GRAPH:
        out = compile_graph(graph, noise_weights(graph), target, folder, *size, objects=folder.parent / "objects")
        return _OfGraph(out, threads)
    return _OfBundle(graph, plan, target, folder, size, threads)


class _OfGraph:
    def __init__(self, folder: Path, threads: int) -> None:
        module = GraphModule.open(folder)
        self._engine = GraphEngine(module, threads)
        self._engine.input[:] = picture(self._engine.input.shape, self._engine.input.dtype)
        self.layers = [" ".join(call.layers) for call in module.program.calls]

    def run(self) -> None:
        self._engine.run()

    def timed(self, clock: Clock) -> list[float]:
        return self._engine.timed(clock)


class _OfBundle:
    def __init__(
        self, graph: Graph, precision: str, target: str, folder: Path, size: tuple[int, int], threads: int
    ) -> None:
        network = table_of(graph, graph.name)
        if network is None:
            raise SettingError(f"{graph.name} is no variant of FastDepth", f"Measure it with --kernels {GRAPH}.")
        height, width = size
        manifest = Manifest(network.name, network, input_height=height, input_width=width, trained_on="noise")
        weights = {name: array.astype(np.float16) for name, array in noise_weights(graph).items()}
        bundle = write_bundle(folder / "bundle", manifest, weights, "# Noise\n")
        module = CompiledModule.open(compile_bundle(bundle, target, folder / "module", precision=precision))
        self._threads, self._ffi = threads, tvm_ffi()
        self._pixels = allocate((height, width * 3), np.uint8)
        self._pixels[:] = picture(self._pixels.shape, np.dtype(np.uint8))
        self._plain, self._watched = load_machine(module), load_machine(module)
        self._argument = self._ffi.from_dlpack(self._pixels)
        self._names: list[str] = []
        self._times: list[float] = []
        self._clock: Clock = time.perf_counter
        self._started = 0.0
        self._watched["set_instrument"](self._ffi.convert(self._watch))
        self.timed(time.perf_counter)
        weighted = [node.name for node in graph.nodes if f"{node.name}.weight" in weights]
        self.layers = [_layers(name, weighted) or name for name in self._names]

    def run(self) -> None:
        configure_pool(self._threads)
        self._plain["main"](self._argument)

    def timed(self, clock: Clock) -> list[float]:
        configure_pool(self._threads)
        self._names, self._times, self._clock = [], [], clock
        self._watched["main"](self._argument)
        return self._times

    def _watch(self, _function: Any, name: str, before: bool, *_arguments: Any) -> int:
        if before:
            self._started = self._clock()
        elif not name.startswith("vm."):
            self._names.append(name)
            self._times.append(self._clock() - self._started)
        return 0


def _layers(kernel: str, names: list[str]) -> str:
    """Layers that a kernel of a bundle computes, by its name: that of a layer, or of a block."""
    own = [name for name in names if name.replace(".", "_") == kernel or name.partition(".")[0] == kernel]
    # The last block computes the last convolution, too.
    return " ".join([*own, *(names[-1:] if own and own[-1] == names[-2] else [])])


def picture(shape: tuple[int, ...], kind: np.dtype[Any]) -> Any:
    """A picture whose neighbouring pixels are alike, as those of a real one."""
    return np.sort(np.random.default_rng(0).integers(0, 256, shape), axis=1).astype(kind)
