"""Makes the picture of docs/rooms.md: each kind of computed rooms, pictures above their depth.

python -m tools.rooms_picture docs/pictures/rooms.jpg
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from fastdepth_ros.colours import colourise
from fastdepth_ros.scene.rooms.kinds import KINDS, Kind
from fastdepth_ros.scene.rooms.writer import CAMERAS, make_room, photograph

SEED, SHOWN = 22, 2
"""Seed, and rooms of each kind."""

WIDTH, HEIGHT, GAP = 208, 156, 6
NEAR, FAR = 0.5, 10.0
"""Depths of the reddest and of the bluest colour [m]."""


def column(kind: Kind) -> np.ndarray:
    """The kind's name, and pictures of its first rooms above their depth."""
    title = np.full((24, WIDTH, 3), 255, np.uint8)
    cv2.putText(title, kind.name, (4, 17), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (40, 40, 40), 1, cv2.LINE_AA)
    parts = [title]
    for index in range(SHOWN):
        picture, depth, _ = photograph(make_room(SEED, index, kind), SEED, CAMERAS * index, kind)
        known = np.where(depth > 0, depth, np.nan)
        for shown in (picture[..., ::-1], colourise(known, NEAR, FAR)):
            parts.append(cv2.resize(shown, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))
        parts.append(np.full((GAP, WIDTH, 3), 255, np.uint8))
    return np.vstack(parts)


def main() -> None:
    """Draw all kinds side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    args = parser.parse_args()
    columns = [column(kind) for kind in KINDS.values()]
    gap = np.full((len(columns[0]), GAP, 3), 255, np.uint8)
    sheet = np.hstack([part for each in columns for part in (each, gap)][:-1])
    cv2.imwrite(str(args.picture), sheet, [cv2.IMWRITE_JPEG_QUALITY, 88])


if __name__ == "__main__":
    main()
