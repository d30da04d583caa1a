"""Networks of FastDepth's tables (Wofk et al., arXiv 1903.03273), and what the paper prints of them."""

from __future__ import annotations

from dataclasses import dataclass

from fastdepth_ros.evaluation.benchmark.network_rounds import Job
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, part_rows
from fastdepth_ros.network.rows import add_rows

DECODER_INPUTS, DECODER_SIDE = 1024, 7
"""Channels and pixels of the map that a decoder alone reads: the encoders' answer to 224x224."""

SIDE = 224


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        label: as the paper calls it.
        network: an entry's name; ``encoder:NAME`` or ``decoder:NAME`` is a part alone.
        weights, macs: millions of weights and billions of multiply-accumulates as the paper prints them.
    """

    label: str
    network: str
    weights: str
    macs: str

    def job(self) -> Job:
        """The network, its picture's size with it."""
        part, _, name = self.network.rpartition(":")
        if not part:
            found = entry(name)
            return Job(name, found.graph, found.height, found.width)
        builder = GraphBuilder(name, DECODER_INPUTS if part == "decoder" else 3)
        builder.part = part
        add_rows(builder, part_rows(part, name), f"the {part}")
        side = DECODER_SIDE if part == "decoder" else SIDE
        return Job(self.network, builder.graph(), side, side)


@dataclass(frozen=True)
class PaperTable:
    """A table.

    Attributes:
        number, title: the paper's.
        rows: its lines, as far as the networks are known here.
        note: what is left out, or otherwise.
    """

    number: int
    title: str
    rows: tuple[Row, ...]
    note: str = ""


DEPTHWISE = Row("MobileNet-NNConv5, depthwise", "mobilenet-nnconv5dw", "3.93", "0.74")
STANDARD = Row("MobileNet-NNConv5", "mobilenet-nnconv5", "20.6", "3.78")
SKIP_ADD = Row("MobileNet-NNConv5, depthwise, skip-add", "fastdepth-full", "3.93", "0.74")

TABLES = (
    PaperTable(
        1,
        "Networks beside each other",
        (
            Row("Laina et al., UpConv", "laina-upconv", "43.0", "22.9"),
            Row("Laina et al., UpProj", "laina-upproj", "63.5", "42.7"),
            Row("FastDepth", "fastdepth-pruned", "1.34", "0.37"),
        ),
        "Eigen et al. and Xian et al. are no entries.",
    ),
    PaperTable(
        3,
        "Encoders, each with the 1x1 convolution to 1024 channels where it has one",
        (
            Row("ResNet-50", "encoder:resnet-50", "25.6", "4.19"),
            Row("ResNet-18", "encoder:resnet-18", "11.7", "1.84"),
            Row("MobileNet", "encoder:mobilenet", "3.19", "0.57"),
        ),
    ),
    PaperTable(
        4,
        "Decoders alone, from 1024 channels of 7x7",
        (
            Row("UpProj", "decoder:upproj", "38.1", "28.0"),
            Row("UpConv", "decoder:upconv", "17.5", "12.9"),
            Row("DeConv5", "decoder:deconv5", "17.5", "12.9"),
            Row("NNConv5", "decoder:nnconv5", "17.5", "3.21"),
        ),
        "The paper's 12.9 is 12.847 here (docs/networks.md). No product with an inserted zero is computed.",
    ),
    PaperTable(
        5,
        "Depthwise decoders and skips",
        (
            STANDARD,
            DEPTHWISE,
            SKIP_ADD,
            Row("MobileNet-NNConv5, depthwise, skip-concat", "mobilenet-nnconv5dw-skipconcat", "3.99", "0.85"),
        ),
    ),
    PaperTable(6, "What a compiler makes of a depthwise decoder", (STANDARD, DEPTHWISE, SKIP_ADD)),
    PaperTable(
        7,
        "Before and after pruning",
        (
            Row("before pruning", "fastdepth-full", "3.93", "0.74"),
            Row("pruned", "fastdepth-pruned", "1.34", "0.37"),
        ),
    ),
)

LEFT_OUT = (
    "Table 2 (power) is `fastdepth bench --power`. Accuracy is left out: no network here but fastdepth-pruned has"
    " trained weights, and these have weights of noise."
)
