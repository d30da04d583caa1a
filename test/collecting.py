"""What pytest does in a ROS 2 workspace: launch_testing's plugin collects as well, and colcon chooses no tests."""

from __future__ import annotations

import os
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest


@pytest.hookimpl(hookwrapper=True)
def pytest_pycollect_makemodule(module_path: Path, parent: Any) -> Generator[None, Any, None]:
    """Leave it to a file to say that it skips as a whole, or cannot be imported.

    launch_testing imports each file while its folder is listed. What a file raises then counts as the folder's: where
    one skips, pytest skips all.
    """
    outcome = yield
    if outcome.excinfo is not None:
        outcome.force_result(pytest.Module.from_parent(parent, path=module_path))


def pytest_configure(config: pytest.Config) -> None:
    """Have `colcon test` leave out what `make test` does, unless it is told what to run, as --pytest-args -m slow.

    A file that cannot be imported, as with an older package, is an error; the others are run all the same.
    It allows no bytecode beside the sources. Without any, each node would compile the package's Python anew, and
    hundreds start: what they compile is kept in the cache's folder, which colcon has below build.
    """
    if not os.environ.get("COLCON"):
        return
    if not config.option.markexpr:
        config.option.markexpr = "not slow and not again"
    config.option.continue_on_collection_errors = True
    cache = getattr(config, "cache", None)
    if cache is not None and os.environ.pop("PYTHONDONTWRITEBYTECODE", ""):
        os.environ["PYTHONPYCACHEPREFIX"] = os.environ.get("PYTHONPYCACHEPREFIX") or str(cache.mkdir("bytecode"))
