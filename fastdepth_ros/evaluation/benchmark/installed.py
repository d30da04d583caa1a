"""Packages that this interpreter lacks: ``python -m ... PACKAGE...`` prints a list as JSON."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError, version


def lacks(package: str) -> bool:
    """Whether a package is not installed here."""
    try:
        version(package)
    except PackageNotFoundError:
        return True
    return False


if __name__ == "__main__":
    json.dump([package for package in sys.argv[1:] if lacks(package)], sys.stdout)
