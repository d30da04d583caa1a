"""depth_node whose network counts its own processor time, so that the rest of the node's can be told from it.

``python -m fastdepth_ros.demo.counted_node FILE --ros-args ...`` is the node and nothing else; FILE is written with
every frame and may be read by another process at any time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.runtime.engine import Engine

WRITING = -1


class Counts(NamedTuple):
    """Since the start of the process.

    Attributes:
        frames: how often the network ran.
        network: processor time that it took [ns]; it has to run on one thread.
        process: processor time of all threads when it last ended [ns].
    """

    frames: int
    network: int
    process: int


class CountsFile:
    """Counts in a file that two processes share.

    Args:
        path: of the file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(np.zeros(len(Counts._fields), np.int64).tobytes())
        self._words = np.memmap(path, np.int64, "r+")

    def write(self, counts: Counts) -> None:
        self._words[0] = WRITING
        self._words[1:] = counts[1:]
        self._words[0] = counts.frames

    def read(self) -> Counts:
        """Counts that belong together."""
        while True:
            frames, network, process = (int(word) for word in self._words)
            if frames == int(self._words[0]) != WRITING:
                return Counts(frames, network, process)


def main() -> int:
    """Run the node."""
    file, counts = CountsFile(Path(sys.argv[1])), Counts(0, 0, 0)

    class CountingEngine(Engine):
        def run(self) -> npt.NDArray[np.float32]:
            nonlocal counts
            begin = time.thread_time_ns()
            answer = super().run()
            network = counts.network + time.thread_time_ns() - begin
            counts = Counts(counts.frames + 1, network, time.process_time_ns())
            file.write(counts)
            return answer

    from fastdepth_ros.node import depth_node

    depth_node.Engine = CountingEngine  # type: ignore[attr-defined]  # imported there, for itself
    return depth_node.main()


if __name__ == "__main__":
    sys.exit(main())
