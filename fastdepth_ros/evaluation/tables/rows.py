"""Networks of the papers' tables, and what the papers print of them.

Tables 1 to 7 are of FastDepth (Wofk et al., arXiv 1903.03273), ``challenge`` of Mobile AI 2021 and 2022 (Ignatov et
al., arXiv 2105.08630; Li et al., "LiteDepth", arXiv 2209.00961), ``heads`` of EfficientPose (Zhang et al., arXiv
2012.07086).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace

from fastdepth_ros.evaluation.benchmark.network_rounds import TORCH, Job
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
        weights, macs: millions of weights and billions of multiply-accumulates as the paper prints them; empty where it
            prints none.
        learner: entry whose accuracy stands in the line, where ``network`` is a part.
        printed: more that the paper prints, by the names of the table's ``columns``.
    """

    label: str
    network: str
    weights: str = ""
    macs: str = ""
    learner: str = ""
    printed: tuple[str, ...] = ()

    @property
    def learns(self) -> str:
        """Name of the entry that is trained for this line."""
        return self.learner or self.network

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
        number: the paper's, or a word; part of a file's name.
        title: what it shows.
        rows: its lines, as far as the networks are known here.
        note: what is left out, or otherwise.
        columns: heads of what the rows have in ``printed``.
        scored: whether the challenge's measures are shown.
        boards: whether the Jetson TX2's estimate is shown beside the paper's measurement.
        peers: other runtimes that stand beside, as far as they are installed.
    """

    number: str
    title: str
    rows: tuple[Row, ...]
    note: str = ""
    columns: tuple[str, ...] = ()
    scored: bool = False
    boards: bool = False
    peers: tuple[str, ...] = ()

    @property
    def head(self) -> str:
        """Its title with its number, where it has one."""
        return f"Table {self.number}: {self.title}" if self.number.isdigit() else self.title

    def of(self, networks: Collection[str]) -> PaperTable:
        """The lines that measure or train one of these entries alone."""
        return replace(self, rows=tuple(row for row in self.rows if {row.network, row.learns} & set(networks)))


DEPTHWISE = Row("MobileNet-NNConv5, depthwise", "mobilenet-nnconv5dw", "3.93", "0.74")
STANDARD = Row("MobileNet-NNConv5", "mobilenet-nnconv5", "20.6", "3.78")
SKIP_ADD = Row("MobileNet-NNConv5, depthwise, skip-add", "fastdepth-full", "3.93", "0.74")

PARTS_NOTE = "Encoders and decoders are counted and timed alone; accuracy is that of {}."

TABLES = (
    PaperTable(
        "1",
        "Networks beside each other",
        (
            Row("Laina et al., UpConv", "laina-upconv", "43.0", "22.9"),
            Row("Laina et al., UpProj", "laina-upproj", "63.5", "42.7"),
            Row("FastDepth", "fastdepth-pruned", "1.34", "0.37"),
        ),
        "Eigen et al. and Xian et al. are no entries.",
    ),
    PaperTable(
        "3",
        "Encoders, each with the 1x1 convolution to 1024 channels where it has one",
        (
            Row("ResNet-50", "encoder:resnet-50", "25.6", "4.19", "resnet-50-nnconv5"),
            Row("ResNet-18", "encoder:resnet-18", "11.7", "1.84", "resnet-18-nnconv5"),
            Row("MobileNet", "encoder:mobilenet", "3.19", "0.57", "mobilenet-nnconv5"),
        ),
        PARTS_NOTE.format("each encoder with the decoder NNConv5"),
    ),
    PaperTable(
        "4",
        "Decoders alone, from 1024 channels of 7x7",
        (
            Row("UpProj", "decoder:upproj", "38.1", "28.0", "mobilenet-upproj"),
            Row("UpConv", "decoder:upconv", "17.5", "12.9", "mobilenet-upconv"),
            Row("DeConv5", "decoder:deconv5", "17.5", "12.9", "mobilenet-deconv5"),
            Row("NNConv5", "decoder:nnconv5", "17.5", "3.21", "mobilenet-nnconv5"),
        ),
        "The paper's 12.9 is 12.847 here (docs/networks.md). No product with an inserted zero is computed. "
        + PARTS_NOTE.format("each decoder behind MobileNet"),
    ),
    PaperTable(
        "5",
        "Depthwise decoders and skips",
        (
            STANDARD,
            DEPTHWISE,
            SKIP_ADD,
            Row("MobileNet-NNConv5, depthwise, skip-concat", "mobilenet-nnconv5dw-skipconcat", "3.99", "0.85"),
        ),
    ),
    PaperTable(
        "6",
        "What a compiler makes of a depthwise decoder",
        (STANDARD, DEPTHWISE, SKIP_ADD),
        "Torch computes the same graphs, traced, frozen, and in the layouts of its own library for processors.",
        peers=(TORCH,),
    ),
    PaperTable(
        "7",
        "Before and after pruning",
        (
            Row("before pruning", "fastdepth-full", "3.93", "0.74"),
            Row("pruned", "fastdepth-pruned", "1.34", "0.37"),
        ),
        "Accuracy is of both networks from random weights; the paper fine-tuned the pruned one. The estimate's"
        " upsampling is fitted to these very times (docs/boards/estimate.md).",
        boards=True,
    ),
    PaperTable(
        "challenge",
        "Mobile AI 2021 and 2022",
        (
            Row("GY-Lab 2021, as read here", "mobilenetv3-unet", printed=("-", "-", "-")),
            Row("SMART 2021, as read here", "fastdepth-student", printed=("0.2602", "3.25", "1197")),
            Row("Airia 2021, as read here", "mobilenetv3-rfdb", printed=("-", "-", "-")),
            Row("LiteDepth 2022", "litedepth", printed=("0.311", "3.79", "37")),
        ),
        "The challenge's si-RMSE, RMSE and times are of its own outdoor pictures on a Raspberry Pi 4, and compare with"
        " nothing beside them; those that could not be looked up are left out. The score here is made of this machine's"
        " time and of the short training's error.",
        ("challenge: si-RMSE", "RMSE [m]", "Raspberry Pi 4 [ms]"),
        scored=True,
    ),
    PaperTable(
        "heads",
        "EfficientPose: what its head costs",
        (
            Row("A, slim: 64 and 32 channels, correction", "efficientpose-a"),
            Row("A, without the correction", "efficientpose-a-plain"),
            Row("A, 64 and 64", "efficientpose-a-64-64"),
            Row("A, 96 and 96", "efficientpose-a-96-96"),
            Row("B, slim", "efficientpose-b"),
            Row("C, slim", "efficientpose-c"),
        ),
        "Multiply-accumulates of transposed convolutions are counted at the answer's pixels: with 64 and 64 channels"
        " they are 0.134 G more than with 64 and 32, with 96 and 96 0.520 G more.",
    ),
)
