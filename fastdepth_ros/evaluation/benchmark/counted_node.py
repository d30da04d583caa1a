"""depth_node whose network counts its own processor time, so that the rest of the node's can be told from it.

``python -m fastdepth_ros.evaluation.benchmark.counted_node FILE --ros-args ...`` is the node and nothing else; FILE
is written with every frame and may be read by another process at any time.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.runtime.engine import Engine

WRITING = -1
_FRAMES, _COUNTS = struct.Struct("q"), struct.Struct("2q")


class Counts(NamedTuple):
    """Since the start of the process.

    Attributes:
        frames: how often the network ran.
        network: processor time that it took [ns]; it has to run on one thread.
    """

    frames: int
    network: int


class CountsFile:
    """Counts in a file that two processes share. To write costs next to nothing: it is counted as the node's.

    Args:
        path: of the file; made where it is missing.
    """

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(_COUNTS.size))
        with path.open("r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), _COUNTS.size)

    def write(self, frames: int, network: int) -> None:
        """Put new :class:`Counts` there."""
        _COUNTS.pack_into(self._bytes, 0, WRITING, network)
        _FRAMES.pack_into(self._bytes, 0, frames)

    def read(self) -> Counts:
        """Counts that belong together."""
        while True:
            counts = Counts(*_COUNTS.unpack_from(self._bytes))
            if counts.frames == _FRAMES.unpack_from(self._bytes)[0] != WRITING:
                return counts


def main() -> int:
    """Run the node."""
    file, frames, network = CountsFile(Path(sys.argv[1])), 0, 0

    class CountingEngine(Engine):
        def run(self) -> npt.NDArray[np.float32]:
            nonlocal frames, network
            begin = time.thread_time_ns()
            answer = super().run()
            network += time.thread_time_ns() - begin
            frames += 1
            file.write(frames, network)
            return answer

    from fastdepth_ros.node.run import main as run

    return run(open_engine=CountingEngine)


if __name__ == "__main__":
    sys.exit(main())
