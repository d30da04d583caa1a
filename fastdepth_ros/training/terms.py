"""Terms of a loss that compare depths, by the words of a recipe: the table that a new one joins.

A new term is a function of ``losses.py``, a row of :data:`TERMS`, and a weight of that name in ``recipe_data.Loss``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from fastdepth_ros.training import losses, virtual_normal


@dataclass(frozen=True)
class Compared:
    """Answers of a batch beside what they should be.

    Attributes:
        depth, target: (N, 1, h, w) metres.
        counts: 1 where a pixel counts.
        focal: fx and fy of these maps [px].
        seed: of what is chosen by chance; another one in each step.
    """

    depth: Tensor
    target: Tensor
    counts: Tensor
    focal: tuple[float, float]
    seed: int


Term = Callable[[Compared], Tensor]


def _of_maps(loss: Callable[[Tensor, Tensor, Tensor], Tensor]) -> Term:
    return lambda pair: loss(pair.depth, pair.target, pair.counts)


def _virtual_normal(pair: Compared) -> Tensor:
    height, width = pair.depth.shape[-2:]
    chosen = virtual_normal.triples(height, width, pair.seed)
    return virtual_normal.virtual_normal(pair.depth, pair.target, pair.counts, pair.focal, chosen)


TERMS: dict[str, Term] = {
    "log": _of_maps(losses.log_l1),
    "gradient": _of_maps(losses.gradient),
    "log_gradient": _of_maps(losses.log_gradient),
    "edges": _of_maps(losses.edges),
    "sig": _of_maps(losses.sig),
    "scale": _of_maps(losses.scale),
    "robust": _of_maps(losses.robust),
    "virtual_normal": _virtual_normal,
}
"""Word -> term. Each is compared with the truth where there is one, with the teacher's depth elsewhere."""

LIKENESS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "similarity": losses.similarity,
    "pairwise": losses.pairwise,
}
"""Word -> distance between a map of the student and one of the teacher, of any channels."""
