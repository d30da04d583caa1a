"""Runs the measurements: rounds in which every runtime takes its turn."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

import fastdepth_ros
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.names import PRODUCT_ONNX, PRODUCT_SIZE, TABLE, WEIGHTS
from fastdepth_ros.evaluation.benchmark.runtimes import PEERS
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.module import CompiledModule

OURS, OURS_INT8 = "fastdepth", "fastdepth-int8"
AGREEMENT_M = 1e-3
"""Answers may differ by so much: float32 sums in another order."""

READS_PRODUCT = "onnx_model"
"""The writer whose readers can multiply matrices as well."""

AVX2_LANES = 8
NOTHING: Mapping[str, str] = {}
Progress = Callable[[str], None]


@dataclass
class Timing:
    """Measurements of one runtime with one number of threads.

    Attributes:
        runtime, threads: which.
        version: of its package.
        rounds: duration of each run [s], by round.
        difference: largest difference from the compiled module's answer [m].
        processor_rounds: processor time of each run, of all threads together [s], by round.
    """

    runtime: str
    threads: int
    version: str = ""
    rounds: list[list[float]] = field(default_factory=list)
    difference: float = 0.0
    processor_rounds: list[list[float]] = field(default_factory=list)

    @property
    def processor_median(self) -> float:
        """Processor time of a run [s]: the median of the rounds' medians."""
        return float(np.median([np.median(times) for times in self.processor_rounds]))

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
        products: of the matrix product, by runtimes that have one.
        missing: runtime -> why it was not measured to the end.
        free: runtimes that used what the module was not compiled for, because nothing holds them to it.
    """

    timings: list[Timing]
    products: list[Timing]
    missing: dict[str, str] = field(default_factory=dict)
    free: list[str] = field(default_factory=list)

    def of(self, runtime: str, threads: int) -> Timing:
        return next(t for t in self.timings if (t.runtime, t.threads) == (runtime, threads))

    def peak(self, threads: int) -> float | None:
        """The fastest matrix product that any runtime reached [FLOP/s]; None where none was measured."""
        return _speed(t.minimum for t in self._products_with(threads))

    def median_peak(self, threads: int) -> float | None:
        """The fastest matrix product by medians [FLOP/s], for the network's medians on a busy machine."""
        return _speed(t.median for t in self._products_with(threads))

    def _products_with(self, threads: int) -> list[Timing]:
        return [t for t in self.products if t.threads == threads and t.rounds]


def _speed(durations: Iterable[float]) -> float | None:
    """Speed of the matrix product [FLOP/s] in the shortest of some durations [s]; None without any."""
    fastest = min(durations, default=None)
    return 2 * PRODUCT_SIZE**3 / fastest if fastest else None


class Bench:
    """Prepares the inputs of all runtimes in a folder and measures them.

    Args:
        bundle, module: what is measured.
        pythons: for each runtime of ``runtimes.PEERS`` that takes part, the interpreter of the environment that has it.
        folder: for models, inputs and answers.
        int8: the same bundle's module in int8, to be measured too; its answer is compared, and may differ.

    Attributes:
        missing: runtime -> why it cannot take part.
        size: of the input.
        timings, products: (runtime, threads) -> what was measured since :meth:`begin`.
    """

    def __init__(
        self,
        bundle: Bundle,
        module: CompiledModule,
        pythons: Mapping[str, Path],
        folder: Path,
        int8: CompiledModule | None = None,
    ) -> None:
        self.module, self.pythons, self.folder = module, pythons, folder
        self.own_modules = {OURS: module} | ({OURS_INT8: int8} if int8 else {})
        self.missing: dict[str, str] = {}
        about = module.description
        height, width = about.input.height, about.input.width
        self.size = f"{width}x{height}"
        picture = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        # Neighbouring pixels of a real picture are alike, and so are those of this one.
        picture = np.sort(picture, axis=1)
        np.save(folder / "picture.npy", picture)
        if pythons:
            np.save(folder / "floats.npy", np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(255)))
            np.save(folder / "matrix.npy", np.random.default_rng(1).random((PRODUCT_SIZE,) * 2, np.float32))
            np.savez(folder / WEIGHTS, **bundle.weights())  # type: ignore[arg-type]
            (folder / TABLE).write_text(json.dumps(about.network), encoding="utf-8")
        for runtime in pythons:
            writer = PEERS[runtime].writer
            if writer and not (folder / PEERS[runtime].model).exists():
                with self.or_missing(runtime):
                    self.peer(runtime, writer, str(folder), str(height), str(width))

    @contextlib.contextmanager
    def or_missing(self, runtime: str) -> Iterator[None]:
        """Note that a runtime is missing, and why, where what is inside fails."""
        try:
            yield
        except SettingError as error:
            self.missing[runtime] = str(error)

    def compare(self, threads: Sequence[int], rounds: int, seconds: float, progress: Progress) -> Comparison:
        """Measure every runtime with every number of threads in every round; those that fail are missing."""
        return compare([self], threads, rounds, seconds, progress)[0]

    def begin(self, threads: Sequence[int]) -> None:
        """Have nothing measured yet."""
        runtimes = [*self.own_modules, *self.pythons]
        self.timings = {(r, n): Timing(r, n) for n in threads for r in runtimes}
        self.products = {(r, n): Timing(r, n) for n in threads for r in runtimes if self.multiplies(r)}

    def round(self, seconds: float, progress: Progress) -> None:
        """Measure everything once."""
        for (runtime, count), timing in self.timings.items():
            if runtime in self.missing:
                continue
            progress(f"{self.size}, {runtime}, {count} thread{'s' * (count > 1)}")
            with contextlib.nullcontext() if runtime in self.own_modules else self.or_missing(runtime):
                self.network(timing, seconds)
                if runtime != OURS and len(timing.rounds) == 1:
                    timing.difference = self.difference(timing)
                if (runtime, count) in self.products:
                    self.product(self.products[runtime, count], seconds / 4)

    def comparison(self) -> Comparison:
        """Measurements since the beginning."""
        return Comparison(
            [timing for timing in self.timings.values() if timing.runtime not in self.missing],
            list(self.products.values()),
            self.missing,
            [r for r in self.pythons if r not in self.missing and self.held(r) is None],
        )

    def multiplies(self, runtime: str) -> bool:
        return runtime in PEERS and PEERS[runtime].writer == READS_PRODUCT

    def network(self, timing: Timing, seconds: float) -> None:
        """Measure one turn of the network."""
        options = ["--answer", str(self.answer(timing))]
        if timing.runtime in self.own_modules:
            self.add(timing, self.own_modules[timing.runtime].folder, "picture.npy", seconds, options)
        else:
            self.add(timing, self.folder / PEERS[timing.runtime].model, "floats.npy", seconds, options)

    def product(self, timing: Timing, seconds: float) -> None:
        """Measure one turn of the matrix product."""
        self.add(timing, self.folder / PRODUCT_ONNX, "matrix.npy", seconds, [])

    def add(self, timing: Timing, model: Path, source: str, seconds: float, options: list[str]) -> None:
        options = ["--threads", str(timing.threads), "--seconds", str(seconds), *options]
        arguments = [str(model), str(self.folder / source), *options]
        if timing.runtime in self.own_modules:
            text = self.own("measure", OURS, *arguments)
        else:
            text = self.peer(timing.runtime, "measure", timing.runtime, *arguments)
        # Some runtimes greet on stdout.
        found = json.loads(text.splitlines()[-1])
        timing.version = found["version"]
        timing.rounds.append(found["seconds"])

    def answer(self, timing: Timing) -> Path:
        return self.folder / f"{timing.runtime}-{timing.threads}.npy"

    def difference(self, timing: Timing) -> float:
        """Largest difference of a runtime's answer from the compiled module's [m].

        Raises:
            SettingError: the answers do not agree, so that the comparison would say nothing.
        """
        ours, theirs = np.load(self.folder / f"{OURS}-{timing.threads}.npy"), np.load(self.answer(timing))
        if ours.shape != theirs.shape:
            cause = f"{timing.runtime} answers {theirs.shape} instead of {ours.shape}"
            raise SettingError(cause, "Its times cannot be compared.")
        difference = float(np.abs(theirs - ours).max())
        if timing.runtime not in self.own_modules and not difference <= AGREEMENT_M * max(1.0, float(ours.max())):
            cause = f"{timing.runtime} differs by {difference:.4f} m"
            raise SettingError(cause, "Its times cannot be compared.")
        return difference

    def own(self, module: str, *arguments: str) -> str:
        return start(Path(sys.executable), module, arguments)

    def peer(self, runtime: str, module: str, *arguments: str) -> str:
        return start(self.pythons[runtime], module, arguments, dict(self.held(runtime) or ()))

    def held(self, runtime: str) -> tuple[tuple[str, str], ...] | None:
        """Setting that holds a runtime to the instructions of the module; None where nothing does."""
        return PEERS[runtime].avx2 if self.module.description.vector_width == AVX2_LANES else ()


def compare(
    benches: Sequence[Bench], threads: Sequence[int], rounds: int, seconds: float, progress: Progress
) -> list[Comparison]:
    """The comparisons of several benches, as of several input sizes, which take turns in every round."""
    for bench in benches:
        bench.begin(threads)
    for turn in range(1, rounds + 1):
        for bench in benches:
            bench.round(seconds, lambda words, turn=turn: progress(f"round {turn} of {rounds}: {words}"))  # type: ignore[misc]
    return [bench.comparison() for bench in benches]


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
