"""Frames of a place: those to learn from, and the last of each recording, held back to say what was gained."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.evaluation.frames import labelled

SHORT_SIDE = 256
"""Pixels of a frame's short side, as it is kept: the network sees 224."""

MOST_FRAMES = 600
"""Frames of a place that are kept; of more, every second, third, ... is taken."""

FEWEST_FRAMES = 8

Reader = Callable[[Path], list[Frame]]


@dataclass(frozen=True)
class Place:
    """Frames with known depth, in the order in which they were taken.

    Attributes:
        learned: those to learn from.
        held: those that judge.
    """

    learned: tuple[Frame, ...]
    held: tuple[Frame, ...]


def place_of(
    paths: Sequence[Path],
    held: float = 0.1,
    points: int = 0,
    seed: int = 1,
    read: Reader | None = None,
    cells: int = 112,
) -> Place:
    """Read recordings, or folders of pictures with depth.

    The last share of each is held back in one piece: neighbouring frames show the same.

    Args:
        paths: as ``fastdepth eval`` takes them.
        held: share of each that is held back.
        points: pixels of every frame whose depth is taken, drawn by chance, as a map of SLAM has them; 0 takes all.
        seed: of that chance.
        read: gives the frames of a path in place of those whose depth is known everywhere.
        cells: rows and columns of the network's answer, where few depths of a frame are known.

    Raises:
        SettingError: a share is out of range, or there are too few frames with depth.
        RecordingError: a recording is broken, or holds no true depth.
    """
    if not 0 < held < 1 or points < 0:
        raise SettingError(
            f"{held:g} of the frames held back, and {points} points, cannot be", "Take 0.1, and 0 or more."
        )
    learned: list[Frame] = []
    kept: list[Frame] = []
    for path in paths:
        frames = [small(each.frame) for each in labelled([path])] if read is None else read(path)
        count = max(1, round(held * len(frames)))
        if len(frames) < FEWEST_FRAMES or count >= len(frames):
            cause = f"{path} has {len(frames)} frames with depth, of which {count} are held back"
            raise SettingError(cause, f"Take a recording of {FEWEST_FRAMES} or more.")
        learned += frames[:-count]
        kept += frames[-count:]
    every = -(-len(learned) // MOST_FRAMES)
    chosen, judging = learned[::every], kept[:: -(-len(kept) // MOST_FRAMES)]
    if points:
        rng = np.random.default_rng(seed)
        chosen = [sparse(frame, points, rng) for frame in chosen]
    if points or read:
        chosen = [spread(frame, cells) for frame in chosen]
    if read:
        judging = [spread(frame, cells) for frame in judging]
    return Place(tuple(chosen), tuple(judging))


def small(frame: Frame) -> Frame:
    """A frame with a short side of :data:`SHORT_SIDE`, or as it is where it is smaller."""
    height, width = frame.pixels.shape[:2]
    factor = SHORT_SIDE / min(height, width)
    if factor >= 1:
        return frame
    size = round(width * factor), round(height * factor)
    pixels = np.asarray(cv2.resize(frame.pixels, size, interpolation=cv2.INTER_AREA))
    depth = frame.depth
    if depth is not None:
        depth = np.asarray(cv2.resize(depth, size, interpolation=cv2.INTER_NEAREST))
    return Frame(pixels, depth, frame.camera.scale(*size) if frame.camera else None)


def sparse(frame: Frame, points: int, rng: np.random.Generator) -> Frame:
    """A frame that knows the depth of so many of its pixels."""
    if frame.depth is None:
        return frame
    depth = np.zeros_like(frame.depth)
    known = np.flatnonzero(frame.depth > 0)
    kept = rng.choice(known, min(points, len(known)), replace=False)
    depth.flat[kept] = frame.depth.flat[kept]
    return replace(frame, depth=depth)


def spread(frame: Frame, cells: int) -> Frame:
    """A frame each of whose known depths fills the cell around it, of an answer of so many rows and columns.

    A view takes the depth of one pixel for each cell, and would pass by most of few points. Where cells meet, the
    farther depth stays.
    """
    if frame.depth is None:
        return frame
    height, width = frame.depth.shape
    cell = np.ones((max(1, round(height / cells)), max(1, round(width / cells))), np.uint8)
    return replace(frame, depth=np.asarray(cv2.dilate(frame.depth, cell)))
