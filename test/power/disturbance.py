"""Things that happen to a reader of kernel files, and that no made-up file can do."""

from __future__ import annotations

from collections.abc import Callable

from fastdepth_ros.power import PowerMonitor
from fastdepth_ros.power.files import Files, Reader


def disturb(monitor: PowerMonitor, before: Callable[[str], None]) -> None:
    """Have something happen before each read of a file, for which the path is given: an error, or a long wait."""

    class Disturbed(Reader):
        def __call__(self, path: str, keep: bool = False) -> bytes:
            before(path)
            return super().__call__(path, keep)

    monitor.sampler.files = Files(monitor.sampler.files.root, Disturbed)
