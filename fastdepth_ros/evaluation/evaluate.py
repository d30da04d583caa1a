"""A bundle against pictures with known depth, through the pipeline that the node runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics, View, ViewSpec
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.frames import Labelled
from fastdepth_ros.evaluation.metrics import METRICS, evaluate
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import DepthEngine, Pipeline, Settings
from fastdepth_ros.runtime.bundle import Manifest

Depth = npt.NDArray[np.float32]

FARTHEST = 80.0
"""Answers up to this count [m]; the limits of a robot's settings have no place in a measurement."""


@dataclass(frozen=True)
class Outcome:
    """The result of one picture.

    Attributes:
        name: of the picture.
        metric: every measure, without scaling.
        scaled: every measure after the answer was multiplied to have the truth's median.
        pixels: (h, w, 3) RGB, what the network saw.
        answer, truth: (h, w) [m], NaN where there is none.
        seconds: what the network took on this machine [s].
        camera: of ``pixels``; None where it is not known.
    """

    name: str
    metric: dict[str, float]
    scaled: dict[str, float]
    pixels: npt.NDArray[np.uint8]
    answer: Depth
    truth: Depth
    seconds: float
    camera: Intrinsics | None = None

    def without_maps(self) -> Outcome:
        """The numbers alone."""
        nothing = np.zeros((0, 0), np.float32)
        return replace(self, pixels=np.zeros((0, 0, 3), np.uint8), answer=nothing, truth=nothing)


@dataclass(frozen=True)
class Options:
    """Ways of looking at pictures.

    Attributes:
        view: ``bundle`` cuts the view that the manifest names out of the picture; ``whole`` shows all of it, which is
            right for pictures that were cropped already, as NYU's labelled ones are.
        correct_focal: whether answers are corrected for the focal length where the picture's camera is known.
    """

    view: Literal["bundle", "whole"] = "bundle"
    correct_focal: bool = True


def run(
    engine: DepthEngine,
    manifest: Manifest,
    frames: Iterable[Labelled],
    options: Options,
    keep: Callable[[Outcome], Any],
) -> int:
    """Evaluate picture after picture.

    Args:
        engine, manifest: of one bundle.
        frames: with depth.
        options: how they are looked at.
        keep: called with every outcome; its arrays are its own.

    Returns:
        How many pictures there were.

    Raises:
        SettingError: there was none, or a truth has another size than its picture.
    """
    settings = Settings("native", "32FC1", "off", min_depth=0.0, max_depth=FARTHEST)
    count = 0
    for name, frame in frames:
        height, width = frame.pixels.shape[:2]
        if frame.depth is None or frame.depth.shape != (height, width):
            raise SettingError(f"{name} has no depth of its own size {width}x{height}", "Resample the depth first.")
        spec = ViewSpec(height, width, height) if options.view == "whole" else manifest.view
        used = replace(manifest, view=spec)
        camera = frame.camera if options.correct_focal else None
        done = Pipeline(engine, used, settings).run(Picture(frame.pixels, "rgb"), camera, cloud=False)
        answer = done.depth
        assert answer is not None
        view = View.of(spec, width, height, answer.shape[1], answer.shape[0])
        seen = frame.depth[view.y : view.y + view.height, view.x : view.x + view.width]
        truth = cv2.resize(seen, answer.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        truth = np.where(truth > 0, truth, np.float32(np.nan))
        outcome = Outcome(
            name,
            evaluate(answer, truth),
            evaluate(answer, truth, scale="median"),
            engine.input.copy(),
            np.where(np.isfinite(answer), answer, np.float32(np.nan)),
            truth,
            done.stages["infer"],
            done.intrinsics,
        )
        keep(outcome)
        count += 1
    if not count:
        raise SettingError("there was no picture to evaluate", "Check the data's folder, and --set and --last.")
    return count


def means(measures: Iterable[dict[str, float]]) -> dict[str, float]:
    """Mean of every measure over pictures, each of which weighs alike; pictures without a comparison do not count."""
    rows = [row for row in measures if row["pixels"]]
    names = (*METRICS, "coverage", "scale")
    return {name: float(np.mean([row[name] for row in rows])) if rows else float("nan") for name in names}
