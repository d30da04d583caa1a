"""Several processes that train one network together, on one machine or on many, as ``torchrun`` starts them.

Each takes its share of every batch, and gradients are averaged before a step, so that all keep the same weights. Means
over pixels are divided by the number of pixels that count in all processes (:func:`everywhere`), so that the average of
their gradients is the gradient of the whole batch; batch normalisation sees the whole batch, too
(``normalisation.py``).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, distributed

from fastdepth_ros.errors import SettingError


@dataclass(frozen=True)
class Processes:
    """Place of this process among those that train together.

    Attributes:
        rank: its number, from 0; that one writes and reports.
        size: how many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this one writes files and reports."""
        return self.rank == 0

    def share(self, batch: int) -> range:
        """Numbers of the views of a batch that this process makes and learns from.

        Raises:
            SettingError: the batch cannot be divided into equal shares.
        """
        if batch % self.size:
            cause = f"a batch of {batch} views cannot be divided among {self.size} processes"
            raise SettingError(cause, "Start a number of them that divides each phase's batch.")
        own = batch // self.size
        return range(self.rank * own, (self.rank + 1) * own)

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all processes into each tensor; they are the same, in the same order, everywhere."""
        if self.size == 1 or not tensors:
            return
        flat = torch.cat([tensor.detach().reshape(-1).float() for tensor in tensors])
        distributed.all_reduce(flat)
        flat /= self.size
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.detach().copy_(mean.reshape(tensor.shape))

    def any(self, said: bool) -> bool:
        """Whether one of them says so: a signal may reach one a step before the others."""
        if self.size == 1:
            return said
        flag = torch.tensor([float(said)])
        if distributed.get_backend() == "nccl":
            flag = flag.cuda()
        distributed.all_reduce(flag)
        return bool(flag.item())


ALONE = Processes()


def join(device: str) -> Processes:
    """Meet the other processes that ``torchrun`` started; alone where it did not start this one.

    Args:
        device: ``cpu`` for gloo; anything else for nccl, whose processes take a card each.

    Raises:
        SettingError: they do not meet.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        return ALONE
    try:
        if device != "cpu":
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        distributed.init_process_group("gloo" if device == "cpu" else "nccl")
    except (ValueError, RuntimeError) as error:
        words = str(error).splitlines() or [repr(error)]
        raise SettingError(f"the processes do not meet ({words[0]})", "Start them with torchrun.") from error
    return Processes(distributed.get_rank(), distributed.get_world_size())


def leave() -> None:
    """Part from the other processes, where there are any."""
    if several():
        distributed.destroy_process_group()


def several() -> bool:
    """Whether this process trains with others."""
    return bool(distributed.is_available() and distributed.is_initialized())


def everywhere(count: Tensor) -> Tensor:
    """Mean over all processes of a number that none of them learns from: how many pixels count.

    A sum over the own pixels divided by this is the own part of a mean over everybody's, whose average over the
    processes is that mean.
    """
    if not several():
        return count
    total = count.detach().clone()
    distributed.all_reduce(total)
    return total / distributed.get_world_size()
