"""Losses that training makes small. All maps are (N, 1, h, w) in metres; a mask is 1 where a pixel counts."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

SHALLOWEST = 0.1
"""Depths are not taken below this [m] before a logarithm: the network's ReLU can answer 0."""


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of ``values`` where ``mask`` is 1; 0 where it is 1 nowhere."""
    return (values * mask).sum() / mask.sum().clamp(min=1.0)


def l1(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean of |d - t| [m]: the paper's loss (Ma and Karaman, ICRA 2018, section III-C)."""
    return masked_mean((depth - truth).abs(), mask)


def log_l1(depth: Tensor, truth: Tensor, mask: Tensor) -> Tensor:
    """Mean of |ln d - ln t|: errors in proportion to the distance, as delta1 counts them."""
    return masked_mean((depth.clamp(min=SHALLOWEST).log() - truth.clamp(min=SHALLOWEST).log()).abs(), mask)


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
