"""Runs the modules of this room in processes of their own, with the interpreter that has what they need."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import fastdepth_ros
from fastdepth_ros.errors import SettingError

NOTHING: Mapping[str, str] = {}
REMEDY = "`make bench-env` installs the other runtimes and their tools; or name another --peer-python."


def start(python: Path, module: str, arguments: Sequence[str], extra: Mapping[str, str] = NOTHING) -> str:
    """Run a module of this room with an interpreter, alone, and return what it printed.

    Args:
        python: the interpreter.
        module: without the room's name.
        arguments: of the module.
        extra: added to its environment.

    Raises:
        SettingError: it failed, mostly because the interpreter lacks a package.
    """
    return run_module(python, f"{__package__}.{module}", arguments, extra)


def run_module(
    python: Path, module: str, arguments: Sequence[str], extra: Mapping[str, str] = NOTHING, remedy: str = REMEDY
) -> str:
    """Run any module of this package with an interpreter, alone, and return what it printed.

    Args:
        python: the interpreter.
        module: its full name.
        arguments: of the module.
        extra: added to its environment.
        remedy: told where it failed.

    Raises:
        SettingError: it failed; the cause has the last line that it complained with.
    """
    # The other environment knows nothing of this package, nor may it get anything that ROS's wheels have set.
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("_ROS_WHEELS", "LD_LIBRARY"))}
    environment["PYTHONPATH"] = str(Path(fastdepth_ros.__file__).parent.parent)
    environment |= extra
    command = [str(python), "-m", module, *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        last = done.stderr.strip().splitlines()[-1:] or [f"status {done.returncode}"]
        name = module.removeprefix(f"{__package__}.")
        raise SettingError(f"{name} {arguments[0]} with {python} failed: {last[0]}", remedy)
    return done.stdout


def check_installed(python: Path, packages: Iterable[str]) -> None:
    """Raise SettingError, with the names of those that are missing, unless an interpreter has these packages."""
    missing = json.loads(start(python, "installed", list(packages)))
    if missing:
        verb = "is" if len(missing) == 1 else "are"
        raise SettingError(f"{', '.join(missing)} {verb} not installed for {python}", REMEDY)
