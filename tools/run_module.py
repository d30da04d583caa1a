"""Runs a compiled module once on a made-up picture and writes its depth: `run_module.py MODULE OUT.npy`."""

import platform
import sys
import time

import numpy as np

from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule


def picture(height: int, width: int) -> np.ndarray:
    """A floor, a wall and some boxes with a little noise: something with edges and gradients, the same every time."""
    rows, columns = np.mgrid[0:height, 0:width] / max(height, width)
    grey = np.where(rows > 0.6, 90 + 120 * (rows - 0.6), 200 - 60 * columns)
    for top, left, size, level in ((0.35, 0.1, 0.3, 60), (0.45, 0.6, 0.2, 150), (0.2, 0.4, 0.1, 20)):
        inside = (rows > top) & (rows < top + size) & (columns > left) & (columns < left + size)
        grey = np.where(inside, level, grey)
    noise = np.random.default_rng(0).normal(0, 6, (height, width, 3))
    return np.clip(grey[:, :, None] * (1.0, 0.95, 0.85) + noise, 0, 255).astype(np.uint8)


def main() -> None:
    """Run it, and say where and for how long."""
    engine = open_engine(CompiledModule.open(sys.argv[1]))
    engine.input[:] = picture(*engine.input.shape[:2])
    start = time.perf_counter()
    depth = engine.run()
    seconds = time.perf_counter() - start
    np.save(sys.argv[2], depth)
    sys.stdout.write(f"{platform.machine()}, {processor.name()}, {seconds:.2f} s\n")


if __name__ == "__main__":
    main()
