"""Losses that training makes small. All maps are (N, 1, h, w) in metres; a mask is 1 where a pixel counts.

``terms.py`` lists them by the words of a recipe.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.training.processes import everywhere

SHALLOWEST = 0.1
"""Depths are not taken below this [m] before a logarithm: the network's ReLU can answer 0."""


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` where ``mask`` is 1; 0 where it is 1 nowhere. Of several processes, the own part of it."""
    return (values * mask).sum() / everywhere(mask.sum()).clamp(min=1.0)


def mean_of_pictures(values: Tensor, known: Tensor) -> Tensor:
    """Mean of a number (N,) that each picture has, over those in which at least one pixel counts."""
    return masked_mean(values, (known > 0).to(values.dtype))


def l1(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean of |d - t| [m]: the paper's loss (Ma and Karaman, ICRA 2018, section III-C)."""
    return masked_mean((depth - truth).abs(), mask)


def log_l1(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean of |ln d - ln t|: errors in proportion to the distance, as delta1 counts them."""
    return masked_mean(_log_ratio(depth, truth).abs(), mask)


def gradient(depth: Tensor, truth: Tensor, mask: Tensor, scales: int = 3) -> Tensor:
    """Mean of |gradient of (d - t)| [m per pixel], summed over resolutions: keeps edges where they are.

    The gradient matching term of Li and Snavely (MegaDepth, CVPR 2018, section 4.1), on depth instead of its logarithm.
    """
    total = depth.new_zeros(())
    error = (depth - truth) * mask
    for scale in range(scales):
        step = 2**scale
        e, m = error[:, :, ::step, ::step], mask[:, :, ::step, ::step]
        total = total + masked_mean((e[:, :, :, 1:] - e[:, :, :, :-1]).abs(), m[:, :, :, 1:] * m[:, :, :, :-1])
        total = total + masked_mean((e[:, :, 1:] - e[:, :, :-1]).abs(), m[:, :, 1:] * m[:, :, :-1])
    return total


def log_gradient(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """The :func:`gradient` of ln d - ln t, as in that paper: edges of near and of far things count alike."""
    return gradient(depth.clamp(min=SHALLOWEST).log(), truth.clamp(min=SHALLOWEST).log(), mask)


def edges(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """The :func:`gradient` at full resolution alone: LiteDepth's gradient term (zhyever/LiteDepth@958cf4e)."""
    return gradient(depth, truth, mask, scales=1)


def sig(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """sqrt(var(g) + 0.15 mean(g)^2) with g = ln d - ln t, of each picture, then the mean over pictures.

    The scale-invariant loss of Eigen et al. (NIPS 2014, equation 4, with 0.85 of the mean forgiven) as LiteDepth and
    others take it, its root. Over each picture by itself is this project's reading.
    """
    g = _log_ratio(depth, truth)
    known = mask.sum(dim=(1, 2, 3))
    count = known.clamp(min=1.0)
    mean = (g * mask).sum(dim=(1, 2, 3)) / count
    spread = ((g - mean[:, None, None, None]).square() * mask).sum(dim=(1, 2, 3)) / count
    # A root has no slope at 0, which only a perfect picture reaches, and one without a pixel that counts.
    return mean_of_pictures((spread + 0.15 * mean.square()).clamp(min=1e-12).sqrt(), known)


def scale(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """|mean(ln d - ln t)| of each picture, then the mean over pictures: its scale alone, whatever its form is."""
    g = _log_ratio(depth, truth)
    known = mask.sum(dim=(1, 2, 3))
    return mean_of_pictures(((g * mask).sum(dim=(1, 2, 3)) / known.clamp(min=1.0)).abs(), known)


def form(depth: Tensor, other: Tensor) -> Tensor:
    """Mean of |g - mean(g)| with g = ln d - ln o, each picture by itself: how far two answers differ but for scale."""
    g = _log_ratio(depth, other)
    return (g - g.mean(dim=(1, 2, 3), keepdim=True)).abs().mean()


def _log_ratio(depth: Tensor, other: Tensor) -> Tensor:
    return depth.clamp(min=SHALLOWEST).log() - other.clamp(min=SHALLOWEST).log()


ROBUST_SCALE = 2.0
"""Barron's c as LiteDepth has it [m]."""


def robust(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean of sqrt((x / c)^2 + 1) - 1 with x = d - t [m] and c = 2 m.

    Barron, "A General and Adaptive Robust Loss Function", CVPR 2019, equation 1 with alpha = 1, as LiteDepth takes it.
    """
    return masked_mean(((depth - truth) / ROBUST_SCALE).square().add(1.0).sqrt() - 1.0, mask)


def hint(student: Tensor, teacher: Tensor) -> Tensor:
    """Mean squared distance of a map from the teacher's, once that is scaled to a variance of 1 within its channels.

    Romero et al., FitNets, ICLR 2015, equation 3. Without the scaling maps of different depth would weigh differently,
    and the authors' maps, whose deviation is about 0.02, would be below what an adapter easily learns. 1 is the
    distance of knowing no more than each channel's mean.
    """
    if teacher.shape[-2:] != student.shape[-2:]:
        teacher = functional.adaptive_avg_pool2d(teacher, student.shape[-2:])
    spread = teacher.var(dim=(0, 2, 3), correction=0).mean()
    return functional.mse_loss(student, teacher * spread.clamp(min=1e-12).rsqrt())


SIMILARITY_SIDE, PAIRWISE_SIDE = 28, 8
"""Most rows and columns of maps whose pixels are compared in pairs: this project's choice, for memory's sake."""


def similarity(student: Tensor, teacher: Tensor, side: int = SIMILARITY_SIDE) -> Tensor:
    """Mean squared difference of two maps' likeness of pixels: the cosines between all pairs of their pixels.

    LiteDepth's similarity distillation, with a small ``side`` the pair-wise one of Liu et al. (CVPR 2019, equation 2),
    whose nodes are averages of pixels. Channels need not be equal, so no adapter is needed.

    Args:
        student, teacher: (N, c, h, w), each with its own channels and size.
        side: larger maps are averaged down to it, both to the same.
    """
    size = tuple(min(side, one, other) for one, other in zip(student.shape[-2:], teacher.shape[-2:], strict=True))
    return functional.mse_loss(_cosines(student, size), _cosines(teacher, size))


def pairwise(student: Tensor, teacher: Tensor) -> Tensor:
    """The :func:`similarity` of few nodes."""
    return similarity(student, teacher, PAIRWISE_SIDE)


def _cosines(maps: Tensor, size: tuple[int, ...]) -> Tensor:
    """(N, c, h, w) -> (N, p, p) cosines between its p pixels, once it is averaged down to ``size``."""
    if tuple(maps.shape[-2:]) != size:
        maps = functional.adaptive_avg_pool2d(maps, size)
    pixels = functional.normalize(maps.flatten(2), dim=1)
    return torch.bmm(pixels.transpose(1, 2), pixels)
