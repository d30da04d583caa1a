"""Runs the measurements: rounds in which every runtime takes its turn, in each way that it has."""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.benchmark.measure import OURS
from fastdepth_ros.evaluation.benchmark.names import (
    CALIBRATION,
    COMPARED,
    FLOAT32,
    PRODUCT_ONNX,
    PRODUCT_SIZE,
    TABLE,
    WAYS,
    WEIGHTS,
)
from fastdepth_ros.evaluation.benchmark.pictures import (
    CALIBRATING,
    CALIBRATION_SEED,
    COMPARING,
    COMPARISON_SEED,
    rooms,
    stripes,
)
from fastdepth_ros.evaluation.benchmark.processes import check_installed, start
from fastdepth_ros.evaluation.benchmark.runtimes import ONNX, PEERS, Model
from fastdepth_ros.evaluation.benchmark.timings import Comparison, Entrant, Timing
from fastdepth_ros.models import REFERENCE_INT8, VARIABLE, reference_bundle, reference_int8, reference_weights
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.module import CompiledModule

AGREEMENT_M = 1e-3
"""Answers in float32 may differ by so much: sums in another order."""

AVX2_LANES = 8
TRUTH, REFERENCE_TRUTH = "truth.npy", "reference-truth.npy"
"""Answers in float32 to the pictures that errors are measured on: of the bundle's weights, and of the authors'."""

Progress = Callable[[str], None]


def silent(_words: str) -> None:
    """Show no progress."""


class Shown(NamedTuple):
    """Numbers of computed pictures: to calibrate with, and to measure errors on."""

    calibrating: int = CALIBRATING
    comparing: int = COMPARING


SHOWN = Shown()


class Bench:
    """Prepares the inputs of all runtimes in a folder and measures them.

    Args:
        bundle, module: what is measured; the module computes in float32.
        pythons: for each runtime of ``runtimes.PEERS`` that takes part, the interpreter of the environment that has it.
        folder: for models, inputs and answers.
        other: the same bundle's module in another precision, to be measured too.
        ways: in which the other runtimes compute, as far as each has them.
        shown: how many pictures are computed.
        progress: told what is being done.

    Attributes:
        missing: entrant, in words -> why it cannot take part.
        size: of the input.
        timings, products: (entrant, threads) -> what was measured since :meth:`begin`.
    """

    def __init__(
        self,
        bundle: Bundle,
        module: CompiledModule,
        pythons: Mapping[str, Path],
        folder: Path,
        other: CompiledModule | None = None,
        ways: Sequence[str] = WAYS,
        shown: Shown = SHOWN,
        progress: Progress = silent,
    ) -> None:
        self.module, self.pythons, self.folder = module, pythons, folder
        self.own_modules = {Entrant(OURS): module}
        if other:
            self.own_modules[Entrant(OURS, other.description.precision)] = other
        self.entrants = [*self.own_modules, *(Entrant(r, w) for r in pythons for w in PEERS[r].models if w in ways)]
        self.missing: dict[str, str] = {}
        self.errors: dict[Entrant, float] = {}
        about = module.description
        self.height, self.width = about.input.height, about.input.width
        self.size = f"{self.width}x{self.height}"
        np.save(folder / "picture.npy", stripes(self.height, self.width))
        if pythons:
            np.save(folder / "matrix.npy", np.random.default_rng(1).random((PRODUCT_SIZE,) * 2, np.float32))
            np.savez(folder / WEIGHTS, **bundle.weights())  # type: ignore[arg-type]
            (folder / TABLE).write_text(json.dumps(about.network), encoding="utf-8")
        # Float32 alone agrees within a millimetre or is left out: there is no error to speak of.
        self.errs = any(entrant.way != FLOAT32 for entrant in self.entrants)
        if self.errs:
            np.save(folder / COMPARED, rooms(bundle.manifest, COMPARISON_SEED, shown.comparing, progress))
            self.own("answers", OURS, str(module.folder), str(folder / COMPARED), str(folder / TRUTH), "--way", FLOAT32)
        for entrant in self.entrants:
            if entrant not in self.own_modules:
                progress(f"Preparing {entrant}")
                with self.or_missing(entrant):
                    self.prepare(entrant, lambda: rooms(bundle.manifest, CALIBRATION_SEED, shown.calibrating, progress))

    def prepare(self, entrant: Entrant, calibration: Callable[[], Any]) -> None:
        """Have a peer's model in the folder; ``calibration`` computes the pictures for tools that want some.

        Raises:
            SettingError: a package or a file that it needs is missing, or its writer failed.
        """
        peer, model = PEERS[entrant.runtime], PEERS[entrant.runtime].models[entrant.way]
        check_installed(self.pythons[entrant.runtime], [peer.package, *model.packages])
        if model.from_reference:
            self.take_reference(model)
        if model.made_of and not (self.folder / CALIBRATION).exists():
            np.save(self.folder / CALIBRATION, calibration())
        for each in filter(None, (model.made_of, model)):
            if each.writer and not (self.folder / each.file).exists():
                self.peer(entrant.runtime, each.writer, str(self.folder), str(self.height), str(self.width))

    def take_reference(self, model: Model) -> None:
        """Copy the reference's quantised file, and have its own weights answer in float32, as it errs against them."""
        file = reference_int8()
        if file is None or reference_weights() is None:
            remedy = f"Set {VARIABLE} to a folder with {REFERENCE_INT8} and the weights that it was made of."
            raise SettingError("there is no quantised file of the reference", remedy)
        bundle = reference_bundle()
        needed = (bundle.manifest.input_height, bundle.manifest.input_width)
        if needed != (self.height, self.width):
            raise SettingError(f"{file.name} takes {needed[1]}x{needed[0]} pixels", "Compare at that size.")
        shutil.copyfile(file, self.folder / model.file)
        arguments = [str(module_for(bundle).folder), str(self.folder / COMPARED), str(self.folder / REFERENCE_TRUTH)]
        self.own("answers", OURS, *arguments, "--way", FLOAT32)

    @contextlib.contextmanager
    def or_missing(self, entrant: Entrant) -> Iterator[None]:
        """Note that an entrant is missing, and why, where what is inside fails."""
        try:
            yield
        except SettingError as error:
            self.missing[str(entrant)] = str(error)

    def compare(self, threads: Sequence[int], rounds: int, seconds: float, progress: Progress) -> Comparison:
        """Measure every entrant with every number of threads in every round; those that fail are missing."""
        return compare([self], threads, rounds, seconds, progress)[0]

    def begin(self, threads: Sequence[int]) -> None:
        """Have nothing measured yet."""
        self.timings = {(e, n): Timing(e, n) for n in threads for e in self.entrants}
        self.products = {(e, n): Timing(e, n) for n in threads for e in self.entrants if self.multiplies(e)}

    def round(self, seconds: float, progress: Progress) -> None:
        """Measure everything once."""
        for (entrant, count), timing in self.timings.items():
            if str(entrant) in self.missing:
                continue
            progress(f"{self.size}, {entrant}, {count} thread{'s' * (count > 1)}")
            with contextlib.nullcontext() if entrant in self.own_modules else self.or_missing(entrant):
                self.network(timing, seconds)
                if len(timing.rounds) == 1:
                    timing.difference = self.difference(timing)
                    timing.rmse = self.error(entrant) if self.errs else None
                if (entrant, count) in self.products:
                    self.product(self.products[entrant, count], seconds / 4)

    def comparison(self, taken: str = FLOAT32) -> Comparison:
        """Measurements since the beginning; ``taken`` is the way of our own that is taken unasked."""
        return Comparison(
            [timing for timing in self.timings.values() if str(timing.entrant) not in self.missing],
            list(self.products.values()),
            self.missing,
            [r for r in self.pythons if str(Entrant(r)) not in self.missing and self.held(r) is None],
            taken,
        )

    def multiplies(self, entrant: Entrant) -> bool:
        """Whether it reads files like that of the matrix product, and does it in float32."""
        return entrant.way == FLOAT32 and entrant.runtime != OURS and PEERS[entrant.runtime].models[FLOAT32] == ONNX

    def network(self, timing: Timing, seconds: float) -> None:
        """Measure one turn of the network."""
        self.add(timing, self.model(timing.entrant), "picture.npy", seconds, ["--answer", str(self.answer(timing))])

    def product(self, timing: Timing, seconds: float) -> None:
        """Measure one turn of the matrix product."""
        self.add(timing, self.folder / PRODUCT_ONNX, "matrix.npy", seconds, [])

    def model(self, entrant: Entrant) -> Path:
        """Path that an entrant loads."""
        if entrant in self.own_modules:
            return self.own_modules[entrant].folder
        return self.folder / PEERS[entrant.runtime].models[entrant.way].file

    def add(self, timing: Timing, model: Path, source: str, seconds: float, options: list[str]) -> None:
        """Start one turn, and note what it measured."""
        options = ["--threads", str(timing.threads), "--seconds", str(seconds), *options]
        text = self.run(timing.entrant, "measure", str(model), str(self.folder / source), *options)
        # Some runtimes greet on stdout.
        found = json.loads(text.splitlines()[-1])
        timing.version, timing.precision = found["version"], found["precision"]
        timing.rounds.append(found["seconds"])
        timing.processor_rounds.append(found["processor_seconds"])

    def answer(self, timing: Timing) -> Path:
        return self.folder / f"{timing.entrant.runtime}-{timing.entrant.way}-{timing.threads}.npy"

    def difference(self, timing: Timing) -> float:
        """Largest difference of an entrant's answer from the compiled module's in float32 [m].

        Raises:
            SettingError: answers in float32 do not agree, so that the comparison would say nothing.
        """
        ours = np.load(self.answer(Timing(Entrant(OURS), timing.threads)))
        theirs = np.load(self.answer(timing))
        if ours.shape != theirs.shape:
            cause = f"{timing.entrant} answers {theirs.shape} instead of {ours.shape}"
            raise SettingError(cause, "Its times cannot be compared.")
        difference = float(np.abs(theirs - ours).max())
        if timing.entrant.way == FLOAT32 and not difference <= AGREEMENT_M * max(1.0, float(ours.max())):
            cause = f"{timing.entrant} differs by {difference:.4f} m"
            raise SettingError(cause, "Its times cannot be compared.")
        return difference

    def error(self, entrant: Entrant) -> float:
        """Root of an entrant's mean squared difference from float32 on computed rooms [m], measured once."""
        if entrant not in self.errors:
            file = self.folder / f"{entrant.runtime}-{entrant.way}-rooms.npy"
            self.run(entrant, "answers", str(self.model(entrant)), str(self.folder / COMPARED), str(file))
            own = entrant in self.own_modules or not PEERS[entrant.runtime].models[entrant.way].from_reference
            truth, found = np.load(self.folder / (TRUTH if own else REFERENCE_TRUTH)), np.load(file)
            self.errors[entrant] = float(np.sqrt(np.mean((found - truth) ** 2, dtype=np.float64)))
        return self.errors[entrant]

    def run(self, entrant: Entrant, module: str, *arguments: str) -> str:
        """Start a module of this room that is told runtime and way, with the interpreter that has the runtime."""
        words = (entrant.runtime, *arguments, "--way", entrant.way)
        return self.own(module, *words) if entrant in self.own_modules else self.peer(entrant.runtime, module, *words)

    def own(self, module: str, *arguments: str) -> str:
        return start(Path(sys.executable), module, arguments)

    def peer(self, runtime: str, module: str, *arguments: str) -> str:
        return start(self.pythons[runtime], module, arguments, dict(self.held(runtime) or ()))

    def held(self, runtime: str) -> tuple[tuple[str, str], ...] | None:
        """Setting that holds a runtime to the instructions of the module; None where nothing does."""
        return PEERS[runtime].avx2 if self.module.description.vector_width == AVX2_LANES else ()


def compare(
    benches: Sequence[Bench],
    threads: Sequence[int],
    rounds: int,
    seconds: float,
    progress: Progress,
    taken: str = FLOAT32,
) -> list[Comparison]:
    """The comparisons of several benches, as of several input sizes, which take turns in every round."""
    for bench in benches:
        bench.begin(threads)
    for turn in range(1, rounds + 1):
        for bench in benches:
            bench.round(seconds, lambda words, turn=turn: progress(f"round {turn} of {rounds}: {words}"))  # type: ignore[misc]
    return [bench.comparison(taken) for bench in benches]
