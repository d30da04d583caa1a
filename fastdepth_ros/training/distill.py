"""Learning from a teacher: its depth everywhere, and hints of how it gets there.

A hint compares a map of the student, sent through a 1x1 convolution of its own (an adapter, thrown away afterwards),
with the teacher's map at the same depth. The adapters leave the student free in its choice of channels: it learns what
the teacher sees, not the teacher's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from fastdepth_ros.network import Network
from fastdepth_ros.training import losses
from fastdepth_ros.training.network import FastDepth, channels


class Hints(nn.Module):  # type: ignore[misc]
    """Adapters from the student's maps to the teacher's, and the mean distance of them.

    Args:
        student, teacher: the tables.
        names: blocks to compare, as :meth:`FastDepth.forward` names their maps.
    """

    def __init__(self, student: Network, teacher: Network, names: Sequence[str]) -> None:
        super().__init__()
        inputs, outputs = channels(student), channels(teacher)
        self.names = tuple(names)
        self.adapters = nn.ModuleDict({name: nn.Conv2d(inputs[name], outputs[name], 1) for name in names})

    def forward(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """Mean of :func:`losses.hint` over the blocks."""
        if not self.names:
            return torch.zeros(())
        terms = [losses.hint(self.adapters[name](student[name]), teacher[name]) for name in self.names]
        return torch.stack(terms).mean()


def ask(
    teacher: FastDepth, pixels: Tensor, names: Sequence[str], half: bool = False
) -> tuple[Tensor, dict[str, Tensor]]:
    """The teacher's depth and the maps of the blocks ``names`` for (N, 3, H, W) pictures, in float32, no gradients.

    Args:
        teacher: with folded biases.
        pixels: RGB / 255.
        names: as :meth:`FastDepth.forward` names its maps.
        half: compute in bfloat16, which is twice as fast where the processor has it.
    """
    with torch.no_grad(), torch.autocast(pixels.device.type, torch.bfloat16, enabled=half):
        depth, maps = teacher(pixels)
    return depth.float(), {name: maps[name].float() for name in names}
