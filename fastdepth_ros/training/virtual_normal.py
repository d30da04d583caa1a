"""The virtual normal loss: planes through three far-apart points of a picture should lean as they do in truth.

Yin et al., "Enforcing geometric constraints of virtual normal for depth prediction", ICCV 2019, arXiv 1907.12209,
section 3.2; the numbers are LiteDepth's.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from fastdepth_ros.training.losses import mean_of_pictures

SHARE = 0.15
"""Triples of points by the number of pixels."""

STEEPEST = 0.867
"""Largest cosine between two sides of a triangle: points nearly on a line have no plane."""

NEAREST = 0.01
"""Points have to be farther apart than this [m] on one axis at least."""

SHALLOWEST = 0.1
"""Depth of points that count [m]."""

EASIEST = 0.25
"""Share of a picture's triples that is left out, those with the smallest loss."""


def triples(height: int, width: int, seed: int) -> Tensor:
    """(3, n) numbers of pixels, each column three of a picture by chance; the same for the same seed."""
    chance = torch.Generator().manual_seed(seed)
    pixels = height * width
    return torch.randint(pixels, (3, max(int(SHARE * pixels), 1)), generator=chance)


def virtual_normal(depth: Tensor, truth: Tensor, mask: Tensor, focal: tuple[float, float], chosen: Tensor) -> Tensor:
    """Mean of |n - n*|, summed over axes, of the planes' unit normals; of each picture, then over pictures.

    Args:
        depth, truth, mask: (N, 1, h, w); metres, and 1 where a pixel counts.
        focal: fx and fy of the maps [px]; the principal point is their middle.
        chosen: (3, n) numbers of pixels, of :func:`triples`.
    """
    height, width = depth.shape[-2:]
    chosen = chosen.to(depth.device)
    rows, columns = chosen // width, chosen % width
    rays = torch.stack(
        [
            (columns - (width - 1) / 2) / focal[0],
            (rows - (height - 1) / 2) / focal[1],
            torch.ones_like(rows, dtype=depth.dtype),
        ],
        dim=-1,
    ).to(depth.dtype)  # (3, n, 3): of each point, the direction whose third coordinate is 1
    ours, theirs = (values.flatten(1)[:, chosen][..., None] * rays for values in (depth, truth))
    counts = mask.flatten(1)[:, chosen].amin(dim=1) * _makes_a_plane(theirs)
    error = (_normals(ours) - _normals(theirs)).abs().sum(dim=-1)
    ordered = torch.where(counts > 0, error, -torch.ones_like(error)).sort(dim=1, descending=True).values
    number = counts.sum(dim=1)
    kept = number - (EASIEST * number).floor()
    hard = (torch.arange(ordered.shape[1], device=depth.device)[None] < kept[:, None]).to(depth.dtype)
    return mean_of_pictures((ordered * hard).sum(dim=1) / kept.clamp(min=1.0), kept)


def _normals(points: Tensor) -> Tensor:
    """(N, 3, n, 3) points -> (N, n, 3) unit normals."""
    first, second, third = points.unbind(dim=1)
    return functional.normalize(torch.linalg.cross(second - first, third - first), dim=-1, eps=1e-8)


def _makes_a_plane(points: Tensor) -> Tensor:
    """1 where three points are deep, apart and not on a line, else 0: (N, 3, n, 3) -> (N, n)."""
    first, second, third = points.unbind(dim=1)
    sides = torch.stack([second - first, third - first, third - second])
    apart = (sides.abs().amax(dim=-1) > NEAREST).all(dim=0)
    unit = functional.normalize(sides, dim=-1, eps=1e-8)
    cosines = torch.stack([(unit[i] * unit[j]).sum(dim=-1).abs() for i, j in ((0, 1), (0, 2), (1, 2))])
    deep = (points[..., 2] > SHALLOWEST).all(dim=1)
    return (apart & deep & (cosines < STEEPEST).all(dim=0)).to(points.dtype)
