"""PTX that an older driver reads.

NVRTC writes the newest version of PTX into its first line, whatever the instructions are, and a driver refuses a
version that it does not know. These kernels use instructions that all versions since PTX 6.5 (CUDA 10.2) have; a test
has an assembler check that. A newer driver reads older PTX.
"""

from __future__ import annotations

import re

VERSION = re.compile(r"^\.version\s+(\d+)\.(\d+)$", re.MULTILINE)
HINT = re.compile(r'^\s*\.pragma "used_bytes_mask [^"]*";\n', re.MULTILINE)
"""Says which bytes of a load are used. It changes no answer, and is new in PTX 8.3."""


def for_drivers_since(version: str, ptx: str) -> str:
    """A program marked as PTX of at most some version.

    Args:
        version: the newest that the drivers read, as ``6.5``.
        ptx: the program, as NVRTC writes it.
    """
    match = VERSION.search(ptx)
    assert match, "PTX begins with its version"
    oldest = tuple(int(number) for number in version.split("."))
    if (int(match[1]), int(match[2])) <= oldest:
        return ptx
    return HINT.sub("", VERSION.sub(f".version {version}", ptx, count=1))
