"""Answers of one runtime to many pictures, in a process of its own: what an error is computed from."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from fastdepth_ros.evaluation.benchmark.measure import load, readable


def main() -> None:
    """Load the network, and write its answers (n, height / 2, width / 2) [m] to a file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("runtime", help="'fastdepth', or a name of runtimes.PEERS")
    parser.add_argument("model", type=Path, help="a module's folder, or the file that the runtime reads")
    parser.add_argument("pictures", type=Path, help=".npy of (n, height, width, 3) uint8 RGB")
    parser.add_argument("answers", type=Path, help=".npy to write to")
    parser.add_argument("--way", required=True)
    args = parser.parse_args()
    pictures = np.load(args.pictures)
    network = load(args.runtime, args.model, readable(args.runtime, pictures[0]), 1, args.way)
    found = []
    for picture in pictures:
        network.put(readable(args.runtime, picture))
        found.append(np.array(network.metres(network.run()), np.float32).squeeze())
    np.save(args.answers, np.stack(found))


if __name__ == "__main__":
    main()
