"""Batch normalisation over the views of all processes that train together."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn

from fastdepth_ros.training.processes import several


class BatchNorm(nn.BatchNorm2d):  # type: ignore[misc]  # torch is not there when types are checked
    """torch's; of several processes, one that normalises by the mean and variance of all their views.

    A batch that is divided into equal shares is so normalised as a whole one is (Ioffe and Szegedy, arXiv 1502.03167,
    section 3).
    """

    def forward(self, x: Tensor) -> Tensor:
        if not (self.training and several()):
            return super().forward(x)
        mean = _Mean.apply(x.mean(dim=(0, 2, 3)))
        centred = x - mean[:, None, None]
        variance = _Mean.apply(centred.square().mean(dim=(0, 2, 3)))
        with torch.no_grad():
            count = x.numel() // x.shape[1] * distributed.get_world_size()
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / max(count - 1, 1)), self.momentum)
        factor = self.weight * torch.rsqrt(variance + self.eps)
        return centred * factor[:, None, None] + self.bias[:, None, None]


class _Mean(torch.autograd.Function):  # type: ignore[misc]
    """Mean over the processes; its gradient is that of the mean of their losses."""

    @staticmethod
    def forward(_context: Any, own: Tensor) -> Tensor:
        return _mean(own)

    @staticmethod
    def backward(_context: Any, slope: Tensor) -> Tensor:
        return _mean(slope)


def _mean(own: Tensor) -> Tensor:
    total = own.contiguous().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()
