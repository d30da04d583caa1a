"""Measures what a precision loses of a bundle's accuracy, and puts it into the manifest."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fastdepth_ros.evaluation.evaluate import Options, Outcome, means, run
from fastdepth_ros.evaluation.frames import Labelled
from fastdepth_ros.pipeline import DepthEngine
from fastdepth_ros.runtime.bundle import Bundle, Manifest, seal
from fastdepth_ros.runtime.cache import FLOAT32, module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.losses import Loss, Losses
from fastdepth_ros.runtime.precision import INT8, int8_here

Frames = Callable[[], Iterable[Labelled]]
"""Gives the pictures of a set, from the first on, as often as it is called."""


class Measured(NamedTuple):
    """A loss, and the two means that it is the difference of.

    Attributes:
        loss: what goes into the manifest.
        float32, other: mean of every measure, in float32 and in the precision.
    """

    loss: Loss
    float32: dict[str, float]
    other: dict[str, float]


def measure(bundle: Bundle, precision: str, frames: Frames, options: Options, threads: int = 0) -> Measured:
    """Show a set to the network in float32 and in another precision, through the modules that run here.

    Args:
        bundle: the model.
        precision: that is held against float32.
        frames: of the set, with depth.
        options: how they are looked at.
        threads: of the network; 0 is all cores.

    Raises:
        ModuleError: this processor cannot compute in that precision.
        SettingError: there is no picture.
    """
    float32, other = (open_engine(module_for(bundle, precision=each), threads) for each in (FLOAT32, precision))
    products = int8_here() if precision == INT8 else None
    return compare(bundle.manifest, float32, other, frames, options, products.name if products else precision)


def compare(
    manifest: Manifest,
    float32: DepthEngine,
    other: DepthEngine,
    frames: Frames,
    options: Options,
    computed_with: str,
) -> Measured:
    """Show a set to two engines.

    Args:
        manifest: of the bundle whose weights both have.
        float32, other: that which is the measure, and that which is measured.
        frames: of the set, with depth.
        options: how they are looked at.
        computed_with: instructions of ``other``.

    Raises:
        SettingError: there is no picture.
    """
    found = []
    for engine in (float32, other):
        outcomes: list[Outcome] = []

        def keep(outcome: Outcome, outcomes: list[Outcome] = outcomes) -> None:
            outcomes.append(outcome.without_maps())

        run(engine, manifest, frames(), options, keep)
        found.append([outcome.metric for outcome in outcomes])
    before, after = (means(metrics) for metrics in found)
    lost, more = before["delta1"] - after["delta1"], after["rmse_m"] - before["rmse_m"]
    return Measured(Loss(len(found[0]), lost, more, computed_with), before, after)


def write(bundle: Bundle, precision: str, losses: dict[str, Loss]) -> Bundle:
    """Put losses into the bundle's manifest, each in the place of what was measured on its set before.

    A table of other weights is dropped. All else of the bundle stays as it is.

    Args:
        bundle: whose weights were measured.
        precision: in which.
        losses: by set.

    Returns:
        The bundle, opened again.

    Raises:
        StorageError: the manifest cannot be written; the old one is there still.
        BundleError: a loss is no number: no picture of its set could be compared.
    """
    table = bundle.manifest.losses
    if table is None or table.weights_sha256 != bundle.weights_sha256:
        table = Losses(bundle.weights_sha256, {})
    for name, loss in losses.items():
        table = table.with_loss(precision, name, loss)
    return seal(bundle.path, replace(bundle.manifest, losses=table), bundle.manifest.files)


def is_known(loss: Loss) -> bool:
    """Whether any picture of the set could be compared."""
    return bool(np.isfinite([loss.delta1, loss.rmse]).all())
