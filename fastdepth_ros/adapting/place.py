"""Frames of a place: those to learn from, and the last of each recording, held back to say what was gained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Frame
from fastdepth_ros.evaluation.frames import labelled

SHORT_SIDE = 256
"""Pixels of a frame's short side, as it is kept: the network sees 224."""

MOST_FRAMES = 600
"""Frames of a place that are kept, at most; of a longer recording every second, fourth, ... is taken."""

FEWEST_FRAMES = 8

Row = TypeVar("Row")

Sides = tuple[int, int]
"""Height and width of the network's input [px]."""

SQUARE: Sides = (224, 224)


@dataclass(frozen=True)
class Place:
    """Frames with known depth, in the order in which they were taken.

    Attributes:
        learned: those to learn from.
        held: those that judge.
    """

    learned: tuple[Frame, ...]
    held: tuple[Frame, ...]


def place_of(paths: Sequence[Path], held: float = 0.1) -> Place:
    """Read recordings, or folders of pictures, whose depth is known everywhere; see :func:`parted`."""
    return Place(*parted(paths, held, _with_depth))


def parted(
    paths: Sequence[Path], held: float, read: Callable[[Path], list[Row]]
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """The frames of all paths to learn from, and those that are held back: neighbouring frames show the same, so the
    last share of each path, in one piece.

    Args:
        paths: of recordings and folders.
        held: share of each that is held back.
        read: gives the frames of a path, with whatever is known of their depth.

    Raises:
        SettingError: the share is out of range, or there are too few frames with depth.
        RecordingError: a recording is broken, or holds no depth.
    """
    if not 0 < held < 1:
        raise SettingError(f"{held:g} of the frames held back cannot be", "Take 0.1.")
    learned: list[Row] = []
    kept: list[Row] = []
    for path in paths:
        frames = read(path)
        count = max(1, round(held * len(frames)))
        if len(frames) < FEWEST_FRAMES or count >= len(frames):
            cause = f"{path} has {len(frames)} frames with depth, of which {count} are held back"
            raise SettingError(cause, f"Take a recording of {FEWEST_FRAMES} or more.")
        learned += frames[:-count]
        kept += frames[-count:]
    every, judging = (-(-len(frames) // MOST_FRAMES) for frames in (learned, kept))
    return tuple(learned[::every]), tuple(kept[::judging])


def _with_depth(path: Path) -> list[Frame]:
    return thinned(small(each.frame) for each in labelled([path]))


def thinned(rows: Iterable[Row]) -> list[Row]:
    """At most :data:`MOST_FRAMES` of however many, at equal distances from the first on; the others are not kept."""
    kept: list[Row] = []
    every = 1
    for number, row in enumerate(rows):
        if number % every:
            continue
        if len(kept) == MOST_FRAMES:
            kept, every = kept[::2], 2 * every
            if number % every:
                continue
        kept.append(row)
    return kept


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
