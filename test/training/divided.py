"""Run by torchrun: batch normalisation and a mean over pixels of a batch that is divided, against the whole batch.

Prints the largest differences of answers, gradients and statistics.
"""

import torch
from torch import distributed

from fastdepth_ros.training.losses import masked_mean
from fastdepth_ros.training.normalisation import BatchNorm
from fastdepth_ros.training.processes import join, leave


def main() -> None:
    own = join("cpu")
    torch.manual_seed(3)
    pictures, mask = torch.randn(4, 5, 3, 2).double(), (torch.rand(4, 5, 3, 2) > 0.6).double()
    mask[2:] *= mask[2:, :1]  # shares that know unequal numbers of pixels
    answers = []
    for layer in (torch.nn.BatchNorm2d(5), BatchNorm(5)):
        layer.double().train()
        with torch.no_grad():
            layer.weight.copy_(torch.arange(1.0, 6.0))
        whole = isinstance(layer, torch.nn.BatchNorm2d) and not isinstance(layer, BatchNorm)
        share = range(4) if whole else own.share(4)
        x = pictures[share.start : share.stop].clone().requires_grad_()
        known = mask[share.start : share.stop]
        y = layer(x)
        loss = (y.square() * known).sum() / known.sum() if whole else masked_mean(y.square(), known)
        loss.backward()
        slopes = [layer.weight.grad, layer.bias.grad]
        if not whole:
            for slope in slopes:
                distributed.all_reduce(slope)
                slope /= own.size
        part = own.share(4)
        found = x.grad[part.start : part.stop] if whole else x.grad / own.size
        values = [y[part.start : part.stop] if whole else y, found, *slopes, layer.running_mean, layer.running_var]
        answers.append([value.detach() for value in values])
    worst = max((one - other).abs().max().item() for one, other in zip(*answers, strict=True))
    told = torch.tensor([worst])
    distributed.all_reduce(told, distributed.ReduceOp.MAX)
    if own.writes:
        print(told.item())  # noqa: T201
    leave()


main()
