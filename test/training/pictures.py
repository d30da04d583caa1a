"""Pictures that the tests make to learn from: brighter is farther."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np


def write_pictures(folder: Path, count: int = 10, known: int = 3) -> None:
    """Write pictures of 160x120, ``known`` of each five with their depth."""
    folder.mkdir(parents=True)
    for i in range(count):
        small = np.random.default_rng(i).uniform(1.0, 4.0, (3, 4)).astype(np.float32)
        depth = cv2.resize(small, (160, 120), interpolation=cv2.INTER_CUBIC).clip(0.5, 5.0)
        grey = (depth * 50).astype(np.uint8)
        stem = folder / f"room{i:02d}"
        cv2.imwrite(f"{stem}.png", np.dstack([grey] * 3))
        if i % 5 < known:
            cv2.imwrite(f"{stem}.depth.png", (depth * 1000).astype(np.uint16))
        stem.with_suffix(".json").write_text(json.dumps({"set": "rooms", "source": f"rooms:{i}.png"}))
