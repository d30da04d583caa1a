"""The loop: proposals, the best of them, and again until the budget is reached; killed, it goes on where it was."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy.typing as npt

from fastdepth_ros.errors import SettingError, WeightsError, brief
from fastdepth_ros.files.writing import make_parents, write_file
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.pruning.judge import Arrays, Judge, Told, cut_network
from fastdepth_ros.pruning.latency import Latency
from fastdepth_ros.pruning.proposals import STEP, Judged, Proposal, as_widths, best, reachable
from fastdepth_ros.pruning.schedule import Schedule
from fastdepth_ros.pruning.store import read_arrays, write_arrays
from fastdepth_ros.pruning.widths import Widths, channels_of, resized

STATE, LOG = "state.npz", "log.json"
SAVE_SECONDS = 5.0
"""Seconds between two saves inside of an iteration; a kill costs what came after the last."""

Stopping = Callable[[], bool]


@dataclass(frozen=True)
class Job:
    """A task: which network, by which table, to which budget.

    Attributes:
        graph: the network.
        latency: its table.
        schedule: steps to the budget.
        about: all else that decides the result, for a folder to know its run again.
        step: channels by which widths differ.
    """

    graph: Graph
    latency: Latency
    schedule: Schedule
    about: Mapping[str, Any]
    step: int = STEP

    def told(self) -> dict[str, Any]:
        """The job as JSON has it."""
        schedule = self.schedule
        return {
            "network": self.graph.name,
            "latency": self.latency.about,
            "budget_ms": schedule.budget,
            "iterations": schedule.iterations,
            "decay": schedule.decay,
            "step": self.step,
            **self.about,
        }


class Run:
    """A run in a folder; made again in the same folder it goes on where it was.

    Args:
        job: what is asked.
        judge: who makes and judges networks.
        arrays: of the network before anything is cut.
        out: the folder: ``state.npz`` and ``log.json``.

    Attributes:
        log: what ``log.json`` holds: the job, the start, and a row for every iteration that was taken.
        arrays: of the network as it is.

    Raises:
        SettingError: the folder holds another run.
        WeightsError: its state cannot be read, or is none of this run.
    """

    def __init__(self, job: Job, judge: Judge, arrays: Mapping[str, npt.NDArray[Any]], out: Path) -> None:
        self.job, self.judge, self.out = job, judge, out
        self._channels = channels_of(job.graph)
        self._judged: list[Judged] = []
        self._best: Arrays = {}
        self._saved = time.monotonic()
        if (out / STATE).is_file():
            self._resume(set(arrays))
            return
        self.arrays = dict(arrays)
        widths = self._channels.widths
        start = {
            "milliseconds": job.latency.milliseconds(widths),
            "accuracy": judge.accuracy(job.graph, self.arrays),
            "widths": widths,
        }
        self.log: dict[str, Any] = {"job": job.told(), "accuracy": judge.about, "start": start, "taken": [], "end": ""}

    @property
    def now(self) -> dict[str, Any]:
        """Milliseconds, accuracy and widths of the network as it is."""
        found: dict[str, Any] = self.log["taken"][-1] if self.log["taken"] else self.log["start"]
        return found

    @property
    def graph(self) -> Graph:
        """The network as it is."""
        return resized(self.job.graph, self._channels, self.now["widths"])

    @property
    def share(self) -> float:
        """Part of the way to the budget that is behind, by milliseconds."""
        start, budget = float(self.log["start"]["milliseconds"]), self.job.schedule.budget
        return min(max((start - float(self.now["milliseconds"])) / (start - budget), 0.0), 1.0)

    @property
    def finished(self) -> bool:
        """Whether the budget is reached, or nothing is left that could be cut."""
        return bool(self.log["end"])

    def go(self, told: Told = lambda _words, _share: None, stopping: Stopping = lambda: False) -> bool:
        """Prune until the budget is reached or ``stopping`` says so after a proposal; the state is on disk afterwards.

        Returns:
            Whether it is finished.
        """
        while not self.finished and not stopping():
            self._iterate(told, stopping)
        self.save()
        return self.finished

    def save(self) -> None:
        """Put the whole state, and the log, on disk."""
        arrays = {f"now/{name}": array for name, array in self.arrays.items()}
        arrays |= {f"best/{name}": array for name, array in self._best.items()}
        judged = [(*one.proposal, one.accuracy) for one in self._judged]
        write_arrays(self.out / STATE, arrays, {"log": self.log, "judged": judged})
        make_parents(self.out)
        write_file(self.out / LOG, json.dumps(self.log, indent=1) + "\n")
        self._saved = time.monotonic()

    def _resume(self, names: set[str]) -> None:
        arrays, text = read_arrays(self.out / STATE)
        try:
            self._take_up(arrays, text, names)
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            cause = f"{self.out / STATE} is no state of this run ({brief(repr(error), 200)})"
            raise WeightsError(cause, "Remove it to begin anew, or name another folder.") from error

    def _take_up(self, arrays: Arrays, text: Any, names: set[str]) -> None:
        self.log = text["log"]
        if self.log["job"] != json.loads(json.dumps(self.job.told())):
            other = {key: value for key, value in self.log["job"].items() if self.job.told().get(key) != value}
            cause = f"{self.out} holds another run ({', '.join(f'{key} {value}' for key, value in other.items())})"
            raise SettingError(cause, "Name another folder.")
        self.arrays = {name.removeprefix("now/"): array for name, array in arrays.items() if name.startswith("now/")}
        self._best = {name.removeprefix("best/"): array for name, array in arrays.items() if name.startswith("best/")}
        self._judged = [Judged(Proposal(*proposal), accuracy) for *proposal, accuracy in text["judged"]]
        if set(self.arrays) != names:
            raise ValueError("its arrays are not those of the network")
        # Asked once, they fail where the log lacks what they need.
        _ = float(self.now["accuracy"]), self.share, self.graph, self.finished

    def _iterate(self, told: Told, stopping: Stopping) -> None:
        number, before, widths = len(self.log["taken"]), self.now, dict(self.now["widths"])
        now, schedule = before["milliseconds"], self.job.schedule
        if now <= schedule.budget:
            self.log["end"] = "budget reached"
            return
        target = schedule.target(now, number)
        names = [*self._channels.groups]
        target, found = reachable(self.job.latency, widths, names, now, target, self.job.step)
        if not found:
            self.log["end"] = "nothing is left that could be cut"
            return
        for proposal in found[len(self._judged) :]:
            words = f"iteration {number + 1}: {proposal.group} to {proposal.width}"
            inside = (now - target) * len(self._judged) / len(found)
            told(words, min(self.share + inside / (self.log["start"]["milliseconds"] - schedule.budget), 1.0))
            self._judge(proposal, number, before)
            if time.monotonic() - self._saved > SAVE_SECONDS:
                self.save()
            if stopping():
                return
        self._take(target, widths, before)

    def _judge(self, proposal: Proposal, number: int, before: Mapping[str, Any]) -> None:
        graph = self.graph
        cut, arrays = cut_network(graph, channels_of(graph), self.arrays, proposal.group, proposal.width)
        arrays, accuracy = self.judge.adapt(cut, arrays, number)
        judged = Judged(proposal, accuracy)
        self._judged.append(judged)
        if best(self._judged, before["milliseconds"], before["accuracy"]) is judged:
            self._best = arrays

    def _take(self, target: float, widths: Widths, before: Mapping[str, Any]) -> None:
        chosen = best(self._judged, before["milliseconds"], before["accuracy"])
        rows = [{**one.proposal._asdict(), "accuracy": one.accuracy} for one in self._judged]
        self.log["taken"].append(
            {
                "iteration": len(self.log["taken"]) + 1,
                "target_ms": target,
                **chosen.proposal._asdict(),
                "accuracy": chosen.accuracy,
                "widths": as_widths(widths, chosen.proposal),
                "proposals": rows,
            }
        )
        self.arrays, self._best, self._judged = self._best, {}, []
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self.save()
