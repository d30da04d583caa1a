"""Speed of graphs of layers with weights of noise, beside other runtimes on the same graph: all take turns."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.names import GRAPH, NETWORK_ONNX, NETWORK_TORCH, WEIGHTS
from fastdepth_ros.evaluation.benchmark.processes import run_module, start
from fastdepth_ros.evaluation.benchmark.runtimes import ATEN, ONEDNN
from fastdepth_ros.evaluation.benchmark.timings import Entrant, Timing
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.runtime.graph_module import PROGRAM, Program
from fastdepth_ros.runtime.precision import FLOAT32, INT8

OURS_INT8 = f"{OURS} int8"
"""The network compiled in int8, beside itself in float32."""

TORCH = "torch"
PEERS = ("onnxruntime", "openvino", TORCH)
"""Runtimes that read what ``onnx_graph`` or the room ``training`` writes, of those in ``runtimes.PEERS``."""

AVX2_HOLDS = {"openvino": dict((ONEDNN,)), TORCH: dict((ONEDNN, ATEN))}
TORCH_REMEDY = "`make train-env` installs torch in .venv-train; or name another --peer-python."
AGREEMENT = 1e-3
"""Answers may differ by so much of their range: float32 sums in another order."""

Progress = Callable[[str], object]


@dataclass(frozen=True)
class Job:
    """A network to measure.

    Attributes:
        name: as it is told.
        graph: the network.
        height, width: of its picture [px].
    """

    name: str
    graph: Graph
    height: int
    width: int


class NetworkBench:
    """A network in a folder, compiled, and written for the other runtimes.

    Args:
        job: the network.
        target: what it is compiled for.
        pythons: another runtime -> the interpreter that has it.
        folder: for module, models, inputs and answers.
        objects: where compiled kernels are kept.
        seed: of the weights.
        int8: whether the network is compiled in int8, too, and stands beside itself.
        progress: told what is being done.

    Attributes:
        modules: our runtimes by their names -> the compiled network.
        timings: (runtime, threads) -> measurements.
        missing: runtime -> why it was not measured.
        maps_mb, weights_mb: memory of the compiled network [MB].
    """

    def __init__(
        self,
        job: Job,
        target: str,
        pythons: Mapping[str, Path],
        folder: Path,
        objects: Path,
        seed: int = 0,
        int8: bool = False,
        progress: Progress = lambda _: None,
    ) -> None:
        # Loads TVM's compiler, which whoever asks for help does not need.
        from fastdepth_ros.lowering.build import compile_graph

        self.job, self.pythons, self.folder = job, pythons, folder
        self.timings: dict[tuple[str, int], Timing] = {}
        self.missing: dict[str, str] = {}
        folder.mkdir(parents=True, exist_ok=True)
        graph, size = job.graph, (job.height, job.width)
        weights = noise_weights(graph, seed)
        said = lambda words: progress(f"{job.name}: {words}")  # noqa: E731
        self.modules = {}
        for runtime, precision in ((OURS, FLOAT32), (OURS_INT8, INT8))[: 1 + int8]:
            self.modules[runtime] = compile_graph(
                graph, weights, target, folder / precision, *size, precision=precision, objects=objects, progress=said
            )
        program = Program.read(self.modules[OURS] / PROGRAM)
        self.lanes_are_avx2 = target == "x86-64-v3"
        self.maps_mb = program.numbers * 4 / 1e6
        self.weights_mb = sum(array.nbytes for array in weights.values()) / 1e6
        # Neighbouring pixels of a real picture are alike, and so are those of this one.
        picture = np.sort(np.random.default_rng(seed).integers(0, 256, (*size, graph.inputs), np.uint8), axis=1)
        floats = np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(255))
        np.save(folder / "picture.npy", picture if graph.inputs == 3 else floats[0])
        if pythons:
            np.save(folder / "floats.npy", floats)
            np.savez(folder / WEIGHTS, **weights)  # type: ignore[arg-type]
            (folder / GRAPH).write_text(json.dumps(to_json(graph)), encoding="utf-8")
            self._write()

    def _write(self) -> None:
        """Have the graph written for the other runtimes."""
        arguments = [str(self.folder), str(self.job.height), str(self.job.width)]
        for runtime, python in self.pythons.items():
            try:
                if runtime == TORCH:
                    run_module(python, "fastdepth_ros.training", arguments, remedy=TORCH_REMEDY)
                elif not (self.folder / NETWORK_ONNX).exists():
                    start(python, "onnx_graph", arguments)
            except SettingError as error:
                self.missing[runtime] = str(error)

    def round(self, threads: Sequence[int], seconds: float, progress: Progress) -> None:
        """Measure every runtime once with every number of threads."""
        for count in threads:
            for runtime in (*self.modules, *self.pythons):
                if runtime in self.missing:
                    continue
                progress(f"{self.job.name}, {runtime}, {count} thread{'s' * (count > 1)}")
                try:
                    self._turn(self.timings.setdefault((runtime, count), Timing(Entrant(runtime), count)), seconds)
                except SettingError as error:
                    if runtime == OURS:
                        raise
                    self.missing[runtime] = str(error)

    def _turn(self, timing: Timing, seconds: float) -> None:
        runtime = timing.entrant.runtime
        answer = self.folder / f"{runtime}-{timing.threads}.npy"
        options = ["--threads", str(timing.threads), "--seconds", str(seconds), "--answer", str(answer)]
        if runtime in self.modules:
            module = str(self.modules[runtime])
            text = start(Path(sys.executable), "measure", ["graph", module, self._source("picture"), *options])
        else:
            file = NETWORK_TORCH if runtime == TORCH else NETWORK_ONNX
            arguments = [runtime, str(self.folder / file), self._source("floats"), *options]
            held = AVX2_HOLDS.get(runtime, {}) if self.lanes_are_avx2 else {}
            text = start(self.pythons[runtime], "measure", arguments, held)
        found = json.loads(text.splitlines()[-1])
        timing.version = found["version"]
        timing.rounds.append(found["seconds"])
        timing.processor_rounds.append(found["processor_seconds"])
        if runtime != OURS:
            self._compare(timing, np.load(answer))

    def _source(self, name: str) -> str:
        return str(self.folder / f"{name}.npy")

    def _compare(self, timing: Timing, theirs: npt.NDArray[np.float32]) -> None:
        ours = np.load(self.folder / f"{OURS}-{timing.threads}.npy")
        timing.difference = float(np.abs(theirs - ours).max() / max(float(ours.max() - ours.min()), 1e-12))
        if timing.entrant.runtime not in self.modules and not timing.difference <= AGREEMENT:
            cause = f"{timing.entrant} differs by {timing.difference:.2g} of the answer's range"
            raise SettingError(cause, "Its times cannot be compared.")


def measure(
    benches: Sequence[NetworkBench], threads: Sequence[int], rounds: int, seconds: float, progress: Progress
) -> None:
    """Have all networks and runtimes take turns, for so many rounds."""
    for turn in range(1, rounds + 1):
        for bench in benches:
            bench.round(threads, seconds, lambda words, turn=turn: progress(f"round {turn} of {rounds}: {words}"))  # type: ignore[misc]
