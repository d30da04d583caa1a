"""``python test/hostile fuzz|replay|soak ...``."""

import importlib
import signal
import sys
from pathlib import Path

PARTS = ("fuzz", "replay", "soak", "worker", "live")


def main() -> int:
    here = Path(__file__).resolve().parent
    # Python put this folder first; its modules are those of a package.
    sys.path[:] = [str(here.parent), *(path for path in sys.path if Path(path or ".").resolve() != here)]
    if len(sys.argv) < 2 or sys.argv[1] not in PARTS:
        sys.stderr.write(f"usage: python test/hostile {'|'.join(PARTS[:3])} ...\n")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended, too
    return importlib.import_module(f"hostile.{sys.argv[1]}").main(sys.argv[2:]) or 0


if __name__ == "__main__":
    sys.exit(main())
