"""Runs the measurements: rounds in which every runtime takes its turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

import fastdepth_ros
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.onnx_names import NETWORK, PRODUCT
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import CompiledModule

OURS = "fastdepth"
PRODUCT_SIZE = 512
"""Of the matrices whose product measures what the processor reaches: three of them fit a second-level cache."""

AGREEMENT_M = 1e-3
"""Answers may differ by so much: float32 sums in another order."""

AVX2_ONLY = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
"""Holds OpenVINO to AVX2 beside a module that was compiled for it. ONNX Runtime has no such switch."""

NOTHING: Mapping[str, str] = {}
Progress = Callable[[str], None]


@dataclass
class Timing:
    """What was measured of one runtime with one number of threads.

    Attributes:
        runtime, threads: which.
        version: of its package.
        rounds: duration of each run [s], by round.
        difference: largest difference from the compiled module's answer [m].
    """

    runtime: str
    threads: int
    version: str = ""
    rounds: list[list[float]] = field(default_factory=list)
    difference: float = 0.0

    @property
    def runs(self) -> npt.NDArray[np.float64]:
        return np.concatenate([np.asarray(times) for times in self.rounds])

    @property
    def minimum(self) -> float:
        return float(self.runs.min())

    @property
    def median(self) -> float:
        """The median of the rounds' medians: a round that another program disturbed counts once."""
        return float(np.median([np.median(times) for times in self.rounds]))

    @property
    def p95(self) -> float:
        return float(np.percentile(self.runs, 95))


@dataclass
class Comparison:
    """All timings of one run of the benchmark.

    Attributes:
        timings: of the network.
        products: of the matrix product, by the same runtimes.
    """

    timings: list[Timing]
    products: list[Timing]

    def of(self, runtime: str, threads: int) -> Timing:
        return next(t for t in self.timings if (t.runtime, t.threads) == (runtime, threads))

    def peak(self, threads: int) -> float | None:
        """The fastest matrix product that any runtime reached [FLOP/s]; None where none was measured."""
        fastest = min((t.minimum for t in self.products if t.threads == threads), default=None)
        return 2 * PRODUCT_SIZE**3 / fastest if fastest else None


class Bench:
    """Prepares the inputs of all runtimes in a folder and measures them.

    Args:
        bundle, module: what is measured.
        peers: names of ``runtimes.PEERS``.
        peer_python: the interpreter of the environment that has them.
        folder: for models, inputs and answers.
    """

    def __init__(
        self, bundle: Bundle, module: CompiledModule, peers: Sequence[str], peer_python: Path, folder: Path
    ) -> None:
        self.module, self.peers, self.peer_python, self.folder = module, peers, peer_python, folder
        about = module.description
        picture = np.random.default_rng(0).integers(0, 256, (about.input.height, about.input.width, 3), np.uint8)
        # Neighbouring pixels of a real picture are alike, and so are those of this one.
        picture = np.sort(picture, axis=1)
        np.save(folder / "picture.npy", picture)
        if peers:
            np.save(folder / "floats.npy", np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(255)))
            np.save(folder / "matrix.npy", np.random.default_rng(1).random((PRODUCT_SIZE,) * 2, np.float32))
            np.savez(folder / "weights.npz", **bundle.weights())  # type: ignore[arg-type]
            table, size = json.dumps(about.network), (str(about.input.height), str(about.input.width))
            self.peer("onnx_model", str(folder / "weights.npz"), table, *size, str(PRODUCT_SIZE), str(folder))

    def compare(self, threads: Sequence[int], rounds: int, seconds: float, progress: Progress) -> Comparison:
        """Measure every runtime with every number of threads in every round."""
        runtimes = [OURS, *self.peers]
        timings = {(r, n): Timing(r, n) for n in threads for r in runtimes}
        products = {(r, n): Timing(r, n) for n in threads for r in self.peers}
        for turn in range(rounds):
            for (runtime, count), timing in timings.items():
                progress(f"round {turn + 1} of {rounds}: {runtime}, {count} thread{'s' * (count > 1)}")
                self.add(timing, NETWORK, "floats.npy", seconds)
                if runtime in self.peers:
                    self.add(products[runtime, count], PRODUCT, "matrix.npy", seconds / 4)
        for timing in timings.values():
            timing.difference = self.difference(timing)
        return Comparison(list(timings.values()), list(products.values()))

    def add(self, timing: Timing, model: str, source: str, seconds: float) -> None:
        """Measure one turn."""
        options = ["--threads", str(timing.threads), "--seconds", str(seconds)]
        if model == NETWORK:
            options += ["--answer", str(self.answer(timing))]
        if timing.runtime == OURS:
            text = self.own("measure", OURS, str(self.module.folder), str(self.folder / "picture.npy"), *options)
        else:
            text = self.peer("measure", timing.runtime, str(self.folder / model), str(self.folder / source), *options)
        found = json.loads(text)
        timing.version = found["version"]
        timing.rounds.append(found["seconds"])

    def answer(self, timing: Timing) -> Path:
        return self.folder / f"{timing.runtime}-{timing.threads}.npy"

    def difference(self, timing: Timing) -> float:
        """Largest difference of a runtime's answer from the compiled module's [m].

        Raises:
            SettingError: the answers do not agree, so that the comparison would say nothing.
        """
        ours = np.load(self.folder / f"{OURS}-{timing.threads}.npy")
        difference = float(np.abs(np.load(self.answer(timing)) - ours).max())
        if not difference <= AGREEMENT_M * max(1.0, float(ours.max())):
            cause = f"{timing.runtime} differs by {difference:.4f} m"
            raise SettingError(cause, "Its times cannot be compared; leave it out of --against.")
        return difference

    def own(self, module: str, *arguments: str) -> str:
        return start(Path(sys.executable), module, arguments)

    def peer(self, module: str, *arguments: str) -> str:
        limits = AVX2_ONLY if self.module.description.vector_width == 8 else {}
        return start(self.peer_python, module, arguments, limits)


def start(python: Path, module: str, arguments: Sequence[str], extra: Mapping[str, str] = NOTHING) -> str:
    """Run a module of this room with an interpreter, alone, and return what it printed.

    Args:
        python: the interpreter.
        module: without the room's name.
        arguments: of the module.
        extra: added to its environment.

    Raises:
        SettingError: it failed, mostly because the interpreter lacks a package.
    """
    # The other environment knows nothing of this package, nor may it get anything that ROS's wheels have set.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("_ROS_WHEELS", "LD_LIBRARY"))}
    environment["PYTHONPATH"] = str(Path(fastdepth_ros.__file__).parent.parent)
    environment |= extra
    command = [str(python), "-m", f"{__package__}.{module}", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        cause = f"measuring {arguments[0]} with {python} failed: {last[0]}"
        raise SettingError(cause, "`make bench` installs the other runtimes; or name another --peer-python.")
    return done.stdout
