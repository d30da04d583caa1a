"""Run time of a network on a Jetson TX2, from MIT's measurements of single convolutions there.

The convolutions of both published networks were measured one by one; those of other networks are interpolated. The
excess of the published totals over the sum of their convolutions is charged to the upsamplings, the largest step that
MIT's module ran apart from them. docs/boards/estimate.md holds the model against measurements that it was not made
of.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdepth_ros.errors import SettingError
from fastdepth_ros.estimate.shapes import Shape, anatomy
from fastdepth_ros.network import NETWORKS, Network

Times = dict[Shape, float]
"""Shape -> milliseconds."""

TABLE = Path(__file__).with_name("tx2.json")
BOARDS = ("tx2-cpu", "tx2-gpu")

PUBLISHED = {
    "tx2-cpu": {"fastdepth-pruned": 37.0, "fastdepth-full": 66.0},
    "tx2-gpu": {"fastdepth-pruned": 5.6, "fastdepth-full": 8.2},
}
"""Milliseconds of whole networks at 224x224 in max-N: Wofk et al., ICRA 2019, the table of the pruning's effect."""

CLOCKS = {
    "max-n": {"tx2-cpu": 2.035, "tx2-gpu": 1.30},
    "max-q": {"tx2-cpu": 1.2, "tx2-gpu": 0.85},
}
"""Clocks [GHz] of A57 cores and GPU in NVIDIA's power modes 0 and 1. The measurements are of max-n."""


@dataclass(frozen=True)
class LayerTime:
    """A convolution's share.

    Attributes:
        name: as in the network table.
        milliseconds: its time.
        measured: false where it was interpolated.
    """

    name: str
    milliseconds: float
    measured: bool


@dataclass(frozen=True)
class Estimate:
    """Expected run time of a network on a board [ms]: the network alone, without copies, pictures or ROS."""

    layers: tuple[LayerTime, ...]
    upsampling: float

    @property
    def convolutions(self) -> float:
        return sum(layer.milliseconds for layer in self.layers)

    @property
    def total(self) -> float:
        return self.convolutions + self.upsampling


def estimate(network: Network, board: str, *, height: int = 224, width: int = 224, mode: str = "max-n") -> Estimate:
    """The time of a network on a board.

    Args:
        network: the table of layers.
        board: one of BOARDS.
        height, width: of the network's input [px], multiples of 32.
        mode: one of CLOCKS; times grow as the clock of the cores or the GPU falls.

    Raises:
        SettingError: no such board or mode.
    """
    if board not in BOARDS:
        raise SettingError(f"there are no measurements of {board!r}", f"Choose one of {', '.join(BOARDS)}.")
    if mode not in CLOCKS:
        raise SettingError(f"the power mode {mode!r} has no known clocks", f"Choose one of {', '.join(CLOCKS)}.")
    slower = CLOCKS["max-n"][board] / CLOCKS[mode][board]
    times, parts = measured(board), anatomy(network, height, width)
    layers = tuple(
        LayerTime(name, slower * (times[shape] if shape in times else interpolate(shape, times)), shape in times)
        for name, shape in parts.convolutions
    )
    return Estimate(layers, slower * parts.upsampled * upsampling_cost(board, tuple(PUBLISHED[board])))


@cache
def measured(board: str) -> Times:
    """The measured convolutions of a board, in max-N."""
    column = BOARDS.index(board)
    rows: list[list[Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["rows"]
    return {
        Shape(kind, inputs, outputs, side, side, kernel, stride): float(times[column])
        for kind, inputs, outputs, side, kernel, stride, *times in rows
    }


def interpolate(shape: Shape, times: Mapping[Shape, float]) -> float:
    """The time of a convolution that was not measured [ms].

    A start-up time, a time per multiply-accumulate and a time per number moved are fitted to the measured convolutions
    of its kind; then the result is corrected as the measured ones around it would have to be, each weighted by the
    inverse square of its distance (Shepard 1968) in the logarithms of channels, pixels, kernel and stride.
    """
    known = [other for other in times if other.kind == shape.kind]
    true = np.array([times[other] for other in known])
    work = _work(known)
    price = _no_negative(work / true[:, None])
    away = np.square(_place(known) - _place([shape])).sum(axis=1)
    weight = 1 / np.maximum(away, 1e-6)
    correction = np.exp(np.average(np.log(true / (work @ price)), weights=weight))
    return float((_work([shape]) @ price)[0] * correction)


def upsampling_cost(board: str, networks: Iterable[str]) -> float:
    """Milliseconds per upsampled number that best explain the published totals of ``networks``, in relative squares."""
    numerator = denominator = 0.0
    for name in networks:
        published, parts = PUBLISHED[board][name], anatomy(NETWORKS[name])
        missing = published - sum(measured(board)[shape] for _, shape in parts.convolutions)
        numerator += parts.upsampled * missing / published**2
        denominator += (parts.upsampled / published) ** 2
    return numerator / denominator


def _work(shapes: Iterable[Shape]) -> npt.NDArray[np.float64]:
    """A row per shape: one, mega-MACs, millions of numbers moved."""
    return np.array([[1.0, shape.macs / 1e6, shape.values / 1e6] for shape in shapes])


def _place(shapes: Iterable[Shape]) -> npt.NDArray[np.float64]:
    return np.log([[s.inputs, s.outputs, s.pixels, s.kernel**2, s.stride] for s in shapes])


def _no_negative(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The x >= 0 with rows @ x nearest to one: least squares, leaving out the column whose share would be negative."""
    columns = list(range(rows.shape[1]))
    while True:
        shares = np.linalg.lstsq(rows[:, columns], np.ones(len(rows)), rcond=None)[0]
        if shares.min() >= 0:
            break
        del columns[int(shares.argmin())]
    x = np.zeros(rows.shape[1])
    x[columns] = shares
    return x
