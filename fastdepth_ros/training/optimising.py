"""Manner of a step: learning rates over a phase, and the optimiser that a recipe names."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

from fastdepth_ros.training.recipe_data import Optimiser, Phase

POWER = 0.9
"""Exponent of the polynomial decay (Chen et al., "DeepLab", arXiv 1606.00915, section 4.3.1), LiteDepth's."""


def learning_rate(phase: Phase, done: int) -> float:
    """Rate of a phase's step number ``done``: from ``rate`` to ``end_rate`` by its decay, after a linear warm-up."""
    if done * phase.batch < phase.warmup:
        return phase.rate * (done + 1) * phase.batch / (phase.warmup + phase.batch)
    part = done / max(phase.images // phase.batch, 1)
    if phase.decay == "polynomial":
        return phase.end_rate + (phase.rate - phase.end_rate) * math.pow(1 - part, POWER)
    return phase.end_rate + (phase.rate - phase.end_rate) * (1 + math.cos(math.pi * part)) / 2


def optimiser_of(settings: Optimiser, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
    """The optimiser; its rate is set before each step. Kernels decay, biases and batch normalisation do not."""
    every = list(parameters)
    groups = [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": settings.weight_decay},
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]
    if settings.name == "sgd":
        return torch.optim.SGD(groups, lr=0.0, momentum=settings.momentum)
    kind = torch.optim.Adam if settings.name == "adam" else torch.optim.AdamW
    return kind(groups, lr=0.0, eps=settings.epsilon)
