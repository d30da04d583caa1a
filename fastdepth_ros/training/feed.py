"""Batches, made ahead of time in the background (decoding and warping run in OpenCV, outside Python's lock).

The batch of step n depends on the recipe's seed and on n alone, so a run that is taken up again at step n sees what it
would have seen.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Sample, last_share, open_source, sha256
from fastdepth_ros.training.augment import VIEW_SIZE, TrainingView, mixed, random_view
from fastdepth_ros.training.processes import ALONE, Processes
from fastdepth_ros.training.recipe_data import Data, DataFile, Phase, Recipe

AHEAD = 4
"""Batches that wait at most."""


class Batch(NamedTuple):
    """Views of one step.

    Attributes:
        pixels: (N, 224, 224, 3) uint8 RGB.
        depth: (N, 112, 112) float32 metres with 0 where unknown.
        taught: as ``pixels``, what a teacher is asked about.
    """

    pixels: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.float32]
    taught: npt.NDArray[np.uint8]


def find(name: str, folders: list[Path]) -> Path:
    """The file or folder ``name`` in the first of ``folders`` that has it.

    Raises:
        SettingError: none has.
    """
    for folder in folders:
        if (folder / name).exists():
            return folder / name
    places = ", ".join(str(folder) for folder in folders)
    raise SettingError(f"{name} is in none of {places}", "Name its folder with --data.")


def check_sha256(path: Path, expected: str) -> None:
    """Hold a file against the recipe.

    Raises:
        SettingError: it is another file.
    """
    found = sha256(path)
    if found != expected:
        raise SettingError(f"{path} has sha256 {found}, the recipe names {expected}", "Use the data of the recipe.")


def checked(file: DataFile, folders: list[Path]) -> Path:
    """A recipe's file, found and held against its sha256 if that is given.

    Raises:
        SettingError: it is missing or another one.
    """
    path = find(file.path, folders)
    if file.sha256 is not None:
        check_sha256(path, file.sha256)
    return path


def split(data: Data, folders: list[Path]) -> tuple[list[Sample], list[Sample]]:
    """Samples to learn from, and those held out, each in an order that depends on the files alone.

    Raises:
        SettingError: a file is missing or another one, or nothing is left on one side.
    """
    samples: list[Sample] = []
    for file in data.files:
        samples += open_source(checked(file, folders))
    samples = [sample for sample in samples if sample.set not in data.without]
    held = last_share([sample for sample in samples if sample.set == data.holdout_set], data.holdout_share)
    names = {sample.name for sample in held}
    rest = [sample for sample in samples if sample.name not in names]
    if not held or not rest:
        cause = f"the data leaves {len(rest)} pictures to learn from and {len(held)} to validate on"
        raise SettingError(cause, "Check data.holdout_set and data.holdout_share.")
    return rest, held


class Feed:
    """Endless batches from a step on.

    Args:
        recipe: seed, phases, shares, augmentation.
        samples: what to learn from.
        start: the first step to make.
        workers: threads that decode and warp.
        processes: whose share of each batch is made. Together they make what one would.
    """

    def __init__(
        self,
        recipe: Recipe,
        samples: list[Sample],
        start: int = 0,
        workers: int = 1,
        processes: Processes = ALONE,
    ) -> None:
        self._recipe, self._processes = recipe, processes
        self._samples = samples
        self._odds = {id(phase): np.cumsum(_odds(samples, recipe.shares_in(phase))) for phase in recipe.phases}
        self._start, self._workers = start, workers
        self._queue: queue.Queue[Batch | BaseException] = queue.Queue(AHEAD)
        self._stopped = threading.Event()

    def __iter__(self) -> Iterator[Batch]:
        thread = threading.Thread(target=self._work, name="feed", daemon=True)
        thread.start()
        try:
            for _ in range(self._start, self._recipe.steps):
                item = self._queue.get()
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            self._stopped.set()
            while thread.is_alive():
                self._drain()
                thread.join(0.05)

    def batch(self, step: int, phase: Phase, pool: ThreadPoolExecutor | None = None) -> Batch:
        """Batch of ``step``, which lies in ``phase``, made by the threads of ``pool`` where there is one."""
        share, odds, ranges = self._processes.share(phase.batch), self._odds[id(phase)], self._recipe.augment_in(phase)
        size = len(share)
        pixels = np.empty((size, VIEW_SIZE, VIEW_SIZE, 3), np.uint8)
        taught = np.empty_like(pixels) if ranges.undeceived else pixels
        depth = np.zeros((size, VIEW_SIZE // 2, VIEW_SIZE // 2), np.float32)

        def make(i: int) -> None:
            rng = np.random.default_rng([self._recipe.seed, step, share[i]])

            def drawn() -> TrainingView:
                index = int(np.searchsorted(odds, rng.random() * odds[-1], side="right"))
                return random_view(self._samples[index].read(), VIEW_SIZE, ranges, rng)

            view = drawn()
            if ranges.mix and rng.random() < ranges.mix:
                view = mixed(view, drawn(), rng.random())
            pixels[i] = view.pixels
            if view.taught is not None:
                taught[i] = view.taught
            if view.depth is not None:
                depth[i] = view.depth

        for _ in map(make, range(size)) if pool is None else pool.map(make, range(size)):
            pass
        return Batch(pixels, depth, taught)

    def _work(self) -> None:
        pool = ThreadPoolExecutor(self._workers, "feed") if self._workers > 1 else None
        try:
            step = 0
            for phase in self._recipe.phases:
                for _ in range(phase.steps):
                    if step >= self._start and not self._put(self.batch(step, phase, pool)):
                        return
                    step += 1
        except BaseException as error:  # the training thread shall raise it
            self._put(error)
        finally:
            if pool is not None:
                pool.shutdown(wait=False)

    def _put(self, item: Batch | BaseException) -> bool:
        while not self._stopped.is_set():
            try:
                self._queue.put(item, timeout=0.2)
            except queue.Full:
                continue
            return True
        return False

    def _drain(self) -> None:
        while not self._queue.empty():
            self._queue.get_nowait()


def _odds(samples: list[Sample], shares: Mapping[str, float]) -> npt.NDArray[np.float64]:
    """Probability with which each sample is drawn."""
    sizes: dict[str, int] = {}
    for sample in samples:
        sizes[sample.set] = sizes.get(sample.set, 0) + 1
    missing = sorted(set(shares) - set(sizes))
    if missing:
        raise SettingError(f"shares names {', '.join(missing)}, of which there is no picture", "Check the names.")
    others = sum(count for name, count in sizes.items() if name not in shares)
    rest = 1.0 - sum(shares.values())
    return np.array([shares[s.set] / sizes[s.set] if s.set in shares else rest / others for s in samples])
