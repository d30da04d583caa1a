"""Parameters and power files that somebody mistyped, or meant ill."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from fastdepth_ros.parameters import TABLE, validate
from fastdepth_ros.power import load_profiles
from fastdepth_ros.power.profiles import BUILT_IN
from hostile import mutate
from hostile.seeds import documents
from hostile.target import FooledError, Target

WORDS = (
    "off", "on", "shipped", "profile", "all", "0,2-3", "0-", "-1", "0-" + "9" * 40, "~no-such-user/x",
    "0 0, 9 0, 9 9", "scan=0 0 0 0 0 0",
    "0-4095,0-4095", "1-99999999999", "host", "max-n",
    "'", '"',
    "sudo nvpmodel", "nvpmodel -q", "nvpmodel '", "../../x", "/", "/dev/null", "x" * 5000, "a\nb", "\0", "\ud800", "",
    " ", "NaN", "int8", "xyz",
)  # fmt: skip
FILES = (
    "/dev/zero",
    "/dev/stdin",
    "/dev/full",
    "FIFO",
    "FOLDER",
    "/proc/self/mem",
    "/nowhere/x",
    "/etc/shadow",
    "LOOP",
)
PROFILES = BUILT_IN.read_text()


def _value(rng: Random, name: str) -> Any:
    if name == "power_file":
        return (
            rng.choice(FILES)
            if rng.random() < 0.002
            else rng.choice(("shipped", "/nowhere/y", "\0", "x" * 300, "FOLDER", "LOOP"))
        )
    return rng.choice(WORDS) if rng.random() < 0.4 else documents.value(rng)


def _make_parameters(rng: Random) -> bytes:
    names = rng.sample(list(TABLE), rng.choice((1, 1, 1, 2, 4)))
    values = {name: _value(rng, name) for name in names}
    if rng.random() < 0.05:
        values[rng.choice(mutate.TEXTS)] = 1
    return json.dumps(values).encode()


def _special(folder: Path) -> dict[str, str]:
    """Files that are none, by the words that stand for them in a case."""
    fifo, loop = folder / "fifo", folder / "loop"
    if not fifo.exists():
        os.mkfifo(fifo)
        loop.symlink_to(loop)
    return {"FIFO": str(fifo), "LOOP": str(loop), "FOLDER": str(folder)}


def _parameters(folder: Path) -> Callable[[bytes], object]:
    special = _special(folder)

    def take(data: bytes) -> None:
        values = json.loads(data)
        values = {
            name: special.get(value, value) if isinstance(value, str) else value for name, value in values.items()
        }
        found = validate(values)
        for name, spec in TABLE.items():
            if spec.check(getattr(found, name)) != getattr(found, name):
                raise FooledError(f"{name} has a value that is not allowed")

    return take


def _make_profiles(rng: Random) -> bytes:
    if rng.random() < 0.03:
        return documents.nested_yaml(rng).encode()
    lines = PROFILES.splitlines()
    starts = [i for i, line in enumerate(lines) if line.startswith("  ") and line[2:3].isalpha()]
    place = rng.randrange(len(starts))
    end = starts[place + 1] if place + 1 < len(starts) else len(lines)
    return documents.spoil_yaml(rng, "\n".join(["profiles:", *lines[starts[place] : end]]))


def _profiles(folder: Path) -> Callable[[bytes], object]:
    file = folder / "power.yaml"

    def take(data: bytes) -> None:
        file.write_bytes(data)
        for profile in load_profiles(file).values():
            profile.on("jetson-tx2").budget("cpu")

    return take


TARGETS = (
    Target("parameters", "setting", _make_parameters, _parameters, 2),
    Target("power_file", "setting", _make_profiles, _profiles, 2),
)
