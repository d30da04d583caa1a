"""A training recipe: all that decides the weights, as data. ``recipe.py`` reads it from YAML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fastdepth_ros.training.augment import Ranges
from fastdepth_ros.training.modules import Trainable

TORCH = (".pth", ".pt")
"""Suffixes of torch files."""

OPTIMISERS = ("adamw", "adam", "sgd")
DECAYS = ("cosine", "polynomial")
"""Ways from a phase's first rate to its last: a half cosine, or (1 - share done)^0.9."""


@dataclass(frozen=True)
class DataFile:
    """A file or folder of pictures. ``sha256`` names a file's content; null for folders, which are not checked."""

    path: str
    sha256: str | None = None


@dataclass(frozen=True)
class Data:
    """Data that is learned from, and data that is kept back.

    Attributes:
        files: relative to the data folder that the command names (the recipe's own folder otherwise).
        holdout_set: the set of which the last ``holdout_share``, ordered by the number in each origin, is validated on
            and never trained on. Neighbouring numbers share a scene, so this is not a random choice.
        without: sets that are not used at all.
        shares: set -> how often one of its pictures is drawn; sets that are not named share the rest by their size.
        factor: true depths are multiplied by it before they teach.
    """

    files: tuple[DataFile, ...]
    holdout_set: str
    holdout_share: float = 0.1
    without: tuple[str, ...] = ()
    shares: Mapping[str, float] = field(default_factory=dict)
    factor: float = 1.0


@dataclass(frozen=True)
class Teacher:
    """A trained network to learn from.

    Attributes:
        path, sha256: a file that ``fastdepth import`` reads, ``weights.safetensors`` of a bundle, or arrays (.npz) of
            ``network``.
        hints: maps that are compared, each by the name that it has in both networks, or as ``STUDENT=TEACHER``.
        half: ask it in bfloat16.
        network: name of an entry, where the teacher is no variant of FastDepth.
        factor: its depths are multiplied by it before they teach, where it is known to answer too near or too far.
    """

    path: str
    sha256: str
    hints: tuple[str, ...] = ()
    half: bool = False
    network: str = ""
    factor: float = 1.0

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Names of the student's and the teacher's map, for each hint."""
        return tuple((each.partition("=")[0], each.rpartition("=")[2]) for each in self.hints)


@dataclass(frozen=True)
class Loss:
    """Weights of the terms.

    Attributes:
        truth: |d - t| where there is a truth (``losses.l1``).
        teacher: |d - t| from the teacher's depth where there is no truth.
        teacher_where_known: in place of ``teacher`` where there is one.
        hints: distance of maps from the teacher's, through adapters (``losses.hint``).
        log, gradient, log_gradient, edges, sig, scale, robust, virtual_normal: of ``terms.TERMS``, from the truth, and
            where there is none from the teacher's depth.
        similarity, pairwise: of ``terms.LIKENESS``, between the maps of the hints.
        form: ``losses.form``, from the answers of the weights that the recipe starts with: scale may move, form not.
        blind: whether the teacher, who takes a third of a step's time, is asked only about pictures without any truth.
    """

    truth: float = 1.0
    teacher: float = 0.0
    teacher_where_known: float = 0.0
    hints: float = 0.0
    log: float = 0.0
    gradient: float = 0.0
    log_gradient: float = 0.0
    blind: bool = False
    edges: float = 0.0
    sig: float = 0.0
    robust: float = 0.0
    virtual_normal: float = 0.0
    similarity: float = 0.0
    pairwise: float = 0.0
    scale: float = 0.0
    form: float = 0.0

    @property
    def asks(self) -> bool:
        """Whether a teacher is needed."""
        return self.teacher + self.teacher_where_known + self.compares_maps > 0

    @property
    def compares_maps(self) -> float:
        """Sum of the weights of what compares maps."""
        return self.hints + self.similarity + self.pairwise


@dataclass(frozen=True)
class Optimiser:
    """Manner of a step.

    Attributes:
        name: one of :data:`OPTIMISERS`.
        weight_decay: of kernels; biases and batch normalisation have none.
        momentum: of ``sgd``.
        clip: most that the gradient's norm may be; 0 is no limit.
        epsilon: of ``adam`` and ``adamw``.
    """

    name: str = "adamw"
    weight_decay: float = 0.01
    momentum: float = 0.9
    clip: float = 0.0
    epsilon: float = 1e-8


@dataclass(frozen=True)
class Phase:
    """A stretch of training at one resolution.

    Attributes:
        images: how many pictures are shown.
        size: side of the network's input [px], a multiple of 32; its height where ``width`` is given. The teacher
            always sees 224.
        batch: pictures per step.
        rate: learning rate at the phase's beginning.
        end_rate: at its end.
        warmup: pictures over which the rate rises from 0 first.
        average: decay of the weights' average where it is not the recipe's: a short phase needs a short memory.
        frozen: batch normalisation keeps the statistics that the average has when the phase begins. Batches are small
            and mix sets that look nothing alike, so a network that is normalised by its batch is another one than the
            network that is shipped; only a frozen phase trains the latter.
        stop: leave the phase after so many pictures, with the rate that it has there; None runs it to its end.
        loss: in place of the recipe's.
        augment: in place of the recipe's.
        shares: in place of the data's.
        width: of the network's input, where it is not square [px]. A graph may have sides of any multiple of 2 that
            it can take.
        decay: one of :data:`DECAYS`.
        layers: the blocks or layers that learn, as ``conv13`` for ``conv13.dw`` and ``conv13.pw``; all where none is
            named.
    """

    images: int
    size: int
    batch: int
    rate: float
    end_rate: float
    warmup: int = 0
    average: float | None = None
    frozen: bool = False
    stop: int | None = None
    loss: Loss | None = None
    augment: Ranges | None = None
    shares: Mapping[str, float] | None = None
    width: int | None = None
    decay: str = "cosine"
    layers: tuple[str, ...] = ()

    @property
    def sides(self) -> tuple[int, int]:
        """Height and width of the network's input [px]."""
        return self.size, self.width or self.size

    @property
    def steps(self) -> int:
        return (self.images if self.stop is None else min(self.stop, self.images)) // self.batch


@dataclass(frozen=True)
class Recipe:
    """All that decides the weights. Two runs of one recipe on one machine give the same numbers."""

    name: str
    network: Trainable
    data: Data
    phases: tuple[Phase, ...]
    seed: int = 1
    teacher: Teacher | None = None
    loss: Loss = Loss()
    optimiser: Optimiser = Optimiser()
    augment: Ranges = field(default_factory=Ranges)
    average: float = 0.999
    """Decay of the weights' exponential moving average per step."""
    start: DataFile | None = None
    """Weights to begin with: a bundle's folder or an .npz of the whole network (``starting.py``), or a torch file of
    ImageNet for a graph's encoder (``pretrained.py``); None for random ones."""
    beside: tuple[DataFile, ...] = ()
    """Further weights of the whole network: the run begins with the mean of ``start`` and these, as of several runs of
    one recipe that differ by their seed ("model soups": Wortsman et al., ICML 2022)."""

    @property
    def starts(self) -> tuple[DataFile, ...]:
        """All files that it begins with."""
        return () if self.start is None else (self.start, *self.beside)

    @property
    def starts_whole(self) -> bool:
        """Whether it begins with weights of the whole network."""
        return bool(self.starts) and all(Path(each.path).suffix not in TORCH for each in self.starts)

    @property
    def steps(self) -> int:
        return sum(phase.steps for phase in self.phases)

    @property
    def keeps_form(self) -> bool:
        """Whether a phase compares answers with those of the weights that it starts with."""
        return any(self.loss_in(phase).form for phase in self.phases)

    def loss_in(self, phase: Phase) -> Loss:
        return self.loss if phase.loss is None else phase.loss

    def augment_in(self, phase: Phase) -> Ranges:
        return self.augment if phase.augment is None else phase.augment

    def shares_in(self, phase: Phase) -> Mapping[str, float]:
        return self.data.shares if phase.shares is None else phase.shares
