"""What is computed of rooms and takes seconds, kept: paints and light of the one that the demo films, a few others."""

from __future__ import annotations

import hashlib
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from fastdepth_ros.scene.render import Atlas

PACKAGE = Path(__file__).resolve().parent.parent / "fastdepth_ros"


SEED, PICTURES = 91, 6


def made_by() -> str:
    """What they are computed by, in 16 characters."""
    digest = hashlib.sha256(f"{np.__version__} {cv2.__version__}".encode())
    for file in sorted([PACKAGE / "camera.py", *PACKAGE.glob("scene/**/*.py")]):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def keep_pictures(folder: Path) -> None:
    """Write pictures of a random room, as `fastdepth rooms` does."""
    from fastdepth_ros.scene.rooms.writer import write_rooms

    part = folder.with_name(f"part-{folder.name}")
    write_rooms(part, PICTURES, SEED)
    part.rename(folder)


def keep_atlas(file: Path) -> None:
    """Work out paints and light, and write them to an .npz file."""
    from fastdepth_ros.scene.render import bake
    from fastdepth_ros.scene.room import build_room

    made = bake(build_room())
    part = file.with_name(f"part-{file.name}")
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
