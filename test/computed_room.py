"""Paints and light of the computed room, kept: working them out takes seconds."""

from __future__ import annotations

from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastdepth_ros.scene.render import Atlas


def keep_atlas(file: Path) -> None:
    """Work them out, and write them to an .npz file."""
    from fastdepth_ros.scene.render import bake
    from fastdepth_ros.scene.room import build_room

    made = bake(build_room())
    part = file.with_name("part.npz")
    np.savez(part, pixels=made.pixels, tiles=[astuple(tile) for tile in made.tiles])
    part.rename(file)


def kept_atlas(file: Path | str) -> Atlas:
    """Read them again."""
    from fastdepth_ros.scene.render import Atlas, Tile

    with np.load(file) as kept:
        return Atlas(kept["pixels"], [Tile(*tile) for tile in kept["tiles"]])


def bench_with(file: Path | str) -> None:
    """Have the benchmarks of frames film the room with what was kept."""
    from fastdepth_ros.evaluation.benchmark import frame_cost

    frame_cost.Renderer = partial(frame_cost.Renderer, atlas=kept_atlas(file))
