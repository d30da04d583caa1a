"""Runs kept inputs again, each in a process of its own, and says what became of it.

An input's folder is named after its target: ``kept/camera_info/empty-body``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from hostile.fuzz import STALLED, START, compile_once

GOOD = ("accepted", "refused: ")


def main(arguments: list[str]) -> int:
    options = argparse.ArgumentParser("python test/hostile replay", description=__doc__)
    options.add_argument("files", nargs="+", type=Path)
    options.add_argument("--target", default="", help="where the folder does not say it")
    options.add_argument("--here", action="store_true", help="in this process, for a debugger")
    given = options.parse_args(arguments)
    if given.here:
        with tempfile.TemporaryDirectory() as folder:
            here(given.files, given.target, Path(folder))
        return 0
    verdicts = apart(given.files, given.target)
    for file, verdict in verdicts.items():
        sys.stdout.write(f"{file}: {verdict}\n")
    return 0 if all(verdict.startswith(GOOD) for verdict in verdicts.values()) else 1


def here(files: list[Path], target: str, folder: Path) -> None:
    """Run inputs in this process, and say what became of each as soon as it is known."""
    from hostile.targets import ALL
    from hostile.worker import ROOM, Runner, limit_memory

    names = [target or file.resolve().parent.name for file in files]
    if "frame" in names:
        compile_once(folder)
    runners = {name: Runner(ALL[name], folder / name) for name in dict.fromkeys(names)}
    os.chdir(folder)
    limit_memory(ROOM)
    for file, name in zip(files, names, strict=True):
        data = file.read_bytes()
        verdict = " ".join(runners[name].run(data, runners[name].start())).strip()
        sys.stdout.write(f"{file}: {verdict}\n")
        sys.stdout.flush()


def apart(files: list[Path], target: str = "") -> dict[Path, str]:
    """Run inputs in a process of their own, and return the verdict of each, or how that ended.

    After one that ends the process, another takes those that are left.
    """
    files = [file.resolve() for file in files]
    verdicts: dict[Path, str] = {}
    while left := [file for file in files if file not in verdicts]:
        order = [sys.executable, str(Path(__file__).parent), "replay", "--here", "--target", target, *map(str, left)]
        said, end = _output(order, START + len(left) * STALLED)
        for line in said.splitlines():
            name, colon, verdict = line.partition(": ")
            if colon and Path(name) in left:
                verdicts[Path(name)] = verdict
        if guilty := next((file for file in left if file not in verdicts), None):
            verdicts[guilty] = end
    return verdicts


def _output(order: list[str], patience: float) -> tuple[str, str]:
    """Words of a process, and of its end."""
    with subprocess.Popen(
        order, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace"
    ) as process:
        try:
            said, complaints = process.communicate(timeout=patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.communicate()[0], "hang"
    return said, f"crash: status {process.returncode}: {complaints.strip()[-300:]}"
