"""Pictures of other places: computed rooms, halls, seats and desks, and photographs beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from fastdepth_ros.adapting.place import small
from fastdepth_ros.errors import SettingError
from fastdepth_ros.evaluation.dataset import Frame, open_source
from fastdepth_ros.runtime.storage import writable_cache
from fastdepth_ros.scene.rooms.kinds import FURNISHED
from fastdepth_ros.scene.rooms.writer import write_rooms

SEED = 411
"""Seed of the rooms that are computed here: not those that the shipped weights were trained on."""

PICTURES = 60
"""Pictures of each kind."""

HELD = 6
"""One picture of so many of each folder judges what is forgotten; a room has as many."""


def rehearsal(
    folder: Path | None, progress: Callable[[str], object], photos: Sequence[Path] = ()
) -> tuple[list[Frame], list[Frame]]:
    """Pictures to rehearse with, and some that say what is forgotten.

    Computed rooms keep shapes, and do not tell of the scale of what a camera took; photographs do.

    Args:
        folder: whose pictures; None computes rooms, halls, seats and desks once, and keeps them in the cache.
        progress: told what is being done.
        photos: folders of more pictures, whose depth need not be known.

    Raises:
        SettingError: there are fewer than two pictures.
    """

    def told(done: int, of: int) -> None:
        progress(f"Computing rooms: {done} of {of}")

    if folder is None:
        folder = writable_cache("rehearsal")
        for kind in FURNISHED:
            write_rooms(folder / kind.name, PICTURES, SEED, kind, told)
    learned: list[Frame] = []
    strange: list[Frame] = []
    for each in (folder, *photos):
        for i, sample in enumerate(open_source(each)):
            (strange if i // HELD % HELD == 1 else learned).append(small(sample.read()))
    if (count := len(learned) + len(strange)) < 2:
        raise SettingError(f"{folder} holds {count} pictures to rehearse with", "Take two or more, or none named.")
    return learned, strange
