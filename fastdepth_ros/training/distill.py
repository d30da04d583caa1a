"""Learning from a teacher: its depth everywhere, and hints of how it gets there.

A hint compares a map of the student, sent through a 1x1 convolution of its own (an adapter, thrown away afterwards),
with the teacher's map at the same depth. The adapters leave the student free in its choice of channels: it learns what
the teacher sees, not the teacher's numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from fastdepth_ros.training import losses
from fastdepth_ros.training.modules import Module, Trainable, maps_of

Pairs = Sequence[tuple[str, str]]
"""Names of a map of the student and of the teacher's that it is compared with."""


class Hints(nn.Module):  # type: ignore[misc]
    """Adapters from the student's maps to the teacher's, and the mean distance of them.

    Args:
        student, teacher: the networks.
        pairs: maps to compare, as the networks' ``forward`` names them.
    """

    def __init__(self, student: Trainable, teacher: Trainable, pairs: Pairs) -> None:
        super().__init__()
        inputs, outputs = maps_of(student), maps_of(teacher)
        self.pairs = tuple(pairs)
        self.adapters = nn.ModuleDict(
            {_key(ours): nn.Conv2d(inputs[ours], outputs[theirs], 1) for ours, theirs in self.pairs}
        )

    def forward(self, student: Mapping[str, Tensor], teacher: Mapping[str, Tensor]) -> Tensor:
        """Mean of :func:`losses.hint` over the pairs."""
        if not self.pairs:
            return torch.zeros(())
        terms = [losses.hint(self.adapters[_key(ours)](student[ours]), teacher[theirs]) for ours, theirs in self.pairs]
        return torch.stack(terms).mean()


def ask(teacher: Module, pixels: Tensor, names: Sequence[str], half: bool = False) -> tuple[Tensor, dict[str, Tensor]]:
    """The teacher's depth and the maps of the blocks ``names`` for (N, 3, H, W) pictures, in float32, no gradients.

    Args:
        teacher: with folded biases.
        pixels: RGB / 255.
        names: as the network's ``forward`` names its maps.
        half: compute in bfloat16, which is twice as fast where the processor has it.
    """
    with torch.no_grad(), torch.autocast(pixels.device.type, torch.bfloat16, enabled=half):
        depth, maps = teacher(pixels, names)
    return depth.float(), {name: maps[name].float() for name in names}


def _key(name: str) -> str:
    return name.replace(".", "_")  # a ModuleDict refuses dots
