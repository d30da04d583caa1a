"""A node in a graph where things go wrong for hours: ``make soak MINUTES=60``.

parts      processes around it: camera, readers, strangers, hogs
operator   what its operator does to it, and what it says on /diagnostics
readings   its memory, files and threads over time, and how they grow
run        all of them together
verdict    the table at the end, and whether it is good
"""

from hostile.soak.run import main

__all__ = ["main"]
