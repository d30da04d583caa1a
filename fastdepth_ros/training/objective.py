"""The loss of a step: distances from the truth, from a teacher's depth, and from its maps, by a recipe's weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.training import distill, losses
from fastdepth_ros.training.augment import view_focal
from fastdepth_ros.training.modules import Module
from fastdepth_ros.training.recipe_data import Loss
from fastdepth_ros.training.terms import LIKENESS, TERMS, Compared


@dataclass(frozen=True)
class Teaching:
    """A teacher, and how it is asked.

    Attributes:
        network: with folded biases.
        hints: adapters of the maps that are compared.
        half: ask in bfloat16.
        factor: of its depths.
    """

    network: Module
    hints: distill.Hints
    half: bool = False
    factor: float = 1.0


@dataclass(frozen=True)
class Shown:
    """A batch on the way through the networks.

    Attributes:
        depth: (N, 1, h, w) the student's answer, on the grid on which it is compared [m].
        maps: the student's, by name.
        truth: (N, 1, h, w) metres, 0 where unknown.
        taught: (N, 3, H, W) pictures that the teacher is asked about.
        seed: of what is chosen by chance.
        begun: (N, 1, h, w) answer of the weights that the run began with; None where nobody asks for it.
    """

    depth: Tensor
    maps: dict[str, Tensor]
    truth: Tensor
    taught: Tensor
    seed: int
    begun: Tensor | None = None


def on_grid(depth: Tensor, size: Sequence[int]) -> Tensor:
    """(N, 1, h, w) depth on a grid of other rows and columns: means of pixels, or bilinear where they become more.

    Answers of different networks are compared on one grid, whatever their resolution.
    """
    height, width = depth.shape[-2:]
    if (height, width) == tuple(size):
        return depth
    if height >= size[0] and width >= size[1]:
        return functional.adaptive_avg_pool2d(depth, tuple(size))
    return functional.interpolate(depth, size=tuple(size), mode="bilinear", align_corners=False)


def loss_of(weights: Loss, shown: Shown, teaching: Teaching | None) -> dict[str, Tensor]:
    """``loss``, and of what it is made: ``truth``, ``teacher`` and ``hints`` as far as there are any, unweighted.

    Args:
        weights: the recipe's, in this phase.
        shown: the batch.
        teaching: None without a teacher.
    """
    depth, truth = shown.depth, shown.truth
    known = (truth > 0).float()
    target, counts = truth, known
    terms = {"truth": losses.l1(depth, truth, known)}
    if teaching is None:
        loss = weights.truth * terms["truth"]
    else:
        answer, heard, compared = _ask(weights, shown, known, teaching)
        terms["teacher"] = losses.l1(depth, answer, heard)
        share = heard * (known * weights.teacher_where_known + (1 - known) * weights.teacher)
        # Every pixel weighs alike, whether it has a truth or not.
        loss = ((depth - answer).abs() * share + (depth - truth).abs() * known * weights.truth).mean()
        for word, value in compared.items():
            loss = loss + getattr(weights, word) * value
        if "hints" in compared:
            terms["hints"] = compared["hints"]
        target, counts = torch.where(known > 0, truth, answer), torch.maximum(known, heard)
    height, width = depth.shape[-2:]
    pair = Compared(depth, target, counts, view_focal(height, width), shown.seed)
    for word, term in TERMS.items():
        if weight := getattr(weights, word):
            loss = loss + weight * term(pair)
    if weights.form and shown.begun is not None:
        loss = loss + weights.form * losses.form(depth, shown.begun)
    return {"loss": loss, **terms}


def _ask(weights: Loss, shown: Shown, known: Tensor, teaching: Teaching) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """The teacher's depth, where it was heard, and distances of the student's maps from its own by their words."""
    depth, pairs = shown.depth, teaching.hints.pairs if weights.compares_maps else ()
    asked: Tensor | slice = known.amax(dim=(1, 2, 3)) == 0 if weights.blind else slice(None)
    answer, heard = torch.zeros_like(depth), torch.zeros_like(depth)
    if not depth[asked].numel():
        return answer, heard, {}
    its_depth, its_maps = distill.ask(teaching.network, shown.taught[asked], [name for _, name in pairs], teaching.half)
    answer[asked] = on_grid(its_depth, depth.shape[-2:]) * teaching.factor
    heard[asked] = 1.0
    own_maps = {name: shown.maps[name][asked] for name, _ in pairs}
    found = {}
    if pairs and weights.hints:
        found["hints"] = teaching.hints(own_maps, its_maps)
    for word, distance in LIKENESS.items():
        if pairs and getattr(weights, word):
            found[word] = torch.stack([distance(own_maps[ours], its_maps[theirs]) for ours, theirs in pairs]).mean()
    return answer, heard, found
