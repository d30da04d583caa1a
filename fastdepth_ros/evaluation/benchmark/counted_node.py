"""depth_node whose network and anchoring count their own processor time, so that the rest can be told from it.

``python -m fastdepth_ros.evaluation.benchmark.counted_node FILE --ros-args ...`` is the node and nothing else; FILE
is written with every frame and may be read by another process at any time.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.runtime.engine import Engine

WRITING = -1
_FRAMES, _COUNTS = struct.Struct("q"), struct.Struct("3q")


class Counts(NamedTuple):
    """Since the start of the process.

    Attributes:
        frames: how often the network ran.
        network: processor time that it took [ns]; it has to run on one thread.
        anchoring: processor time that measured depths took, from their messages to the corrected answer, and the
            uncertainty [ns].
    """

    frames: int
    network: int
    anchoring: int = 0


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

    def write(self, frames: int, network: int, anchoring: int = 0) -> None:
        """Put new :class:`Counts` there."""
        _COUNTS.pack_into(self._bytes, 0, WRITING, network, anchoring)
        _FRAMES.pack_into(self._bytes, 0, frames)

    def read(self) -> Counts:
        """Counts that belong together."""
        while True:
            counts = Counts(*_COUNTS.unpack_from(self._bytes))
            if counts.frames == _FRAMES.unpack_from(self._bytes)[0] != WRITING:
                return counts


def main() -> int:
    """Run the node."""
    file, frames, network, anchoring = CountsFile(Path(sys.argv[1])), 0, 0, 0

    class CountingEngine(Engine):
        def run(self) -> npt.NDArray[np.float32]:
            nonlocal frames, network
            begin = time.thread_time_ns()
            answer = super().run()
            network += time.thread_time_ns() - begin
            frames += 1
            file.write(frames, network, anchoring)
            return answer

    def counted(work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **options: Any) -> Any:
            nonlocal anchoring
            begin = time.thread_time_ns()
            done = work(*args, **options)
            anchoring += time.thread_time_ns() - begin
            return done

        return run

    from fastdepth_ros.anchoring import Anchoring
    from fastdepth_ros.anchoring.anchors import Rest
    from fastdepth_ros.node.anchor_found import Found
    from fastdepth_ros.node.anchor_sources import AnchorSources
    from fastdepth_ros.node.run import main as run

    # All that is done for measured depths in the thread that answers: messages, points in the view, the correction, and
    # what is done of it once depth is published.
    for kind, name in (
        (AnchorSources, "prepare"),
        (AnchorSources, "measure"),
        (Found, "__call__"),
        (Anchoring, "correct"),
        (Rest, "__call__"),
    ):
        setattr(kind, name, counted(getattr(kind, name)))
    return run(open_engine=CountingEngine)


if __name__ == "__main__":
    sys.exit(main())
