"""Likely networks, ranked by the weights that all share: the end of a search chooses among them.

Guo et al., "Single Path One-Shot Neural Architecture Search", arXiv 1904.00420, rank networks so: each with its share
of the weights and with the normalisation measured for it alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation import metrics
from fastdepth_ros.evaluation.dataset import Sample
from fastdepth_ros.search.job import Job
from fastdepth_ros.search.learning import Learning
from fastdepth_ros.search.space import Choice
from fastdepth_ros.training.augment import plain_view
from fastdepth_ros.training.objective import on_grid
from fastdepth_ros.training.showing import as_tensor
from fastdepth_ros.training.unfold import measured_anew

TOGETHER = 16
"""Pictures that are answered at a time."""


def ranked(job: Job, learning: Learning, choices: Sequence[Choice], samples: Sequence[Sample]) -> list[dict[str, Any]]:
    """Networks with their milliseconds and their delta1, the best first.

    Answers are multiplied to have the truth's median, as scale is what a few steps move by chance
    (``pruning.learner``), and compared on half of the picture's rows and columns.

    Args:
        job, learning: of the search.
        choices: of the networks.
        samples: pictures that the weights have not learned from.

    Raises:
        SettingError: no picture has depth.
    """
    height, width = job.training.phases[-1].sides
    shown = (plain_view(sample.read(), height, width) for sample in samples)
    views = [(view.pixels, view.depth) for view in shown if view.depth is not None]
    if not views:
        raise SettingError("no picture that judges has depth", "Take more pictures.")
    pictures, rows = learning.pictures(), []
    for choice in choices:
        model = learning.model.network(job.space.graph(choice)).to(memory_format=torch.channels_last)
        measured_anew(model, pictures)
        model.eval()
        values = []
        for start in range(0, len(views), TOGETHER):
            part = views[start : start + TOGETHER]
            with torch.inference_mode():
                pixels = as_tensor(np.stack([own for own, _ in part]))
                answers = on_grid(model(pixels)[0], part[0][1].shape)[:, 0].numpy()
            for answer, (_, truth) in zip(answers, part, strict=True):
                value = metrics.evaluate(answer, truth, scale="median")["delta1"]
                values.append(value if np.isfinite(value) else 0.0)  # nothing was answered
        milliseconds = job.costs.milliseconds(job.space, choice)
        rows.append({"delta1_scaled": float(np.mean(values)), "milliseconds": milliseconds, "choice": choice})
    return sorted(rows, key=lambda row: -row["delta1_scaled"])
