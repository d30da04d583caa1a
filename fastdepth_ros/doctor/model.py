"""The model bundle, its compiled module held against its description, and one run of it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fastdepth_ros.doctor.check import Check, fail, ok, warn
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import has_compiler, module_folder, prebuilt_for_here
from fastdepth_ros.runtime.module import DESCRIPTION, CompiledModule

PATIENCE = 60.0
"""Seconds that the trial run may take."""


def bundle_and_module(model: str, target: str) -> Iterator[Check]:
    """The bundle, its module, and what comes of running it.

    Raises:
        BundleError: there is no such bundle, or it was altered.
        ModuleError: TVM is not installed.
    """
    bundle = find_bundle(model)
    manifest = bundle.manifest
    size = f"{manifest.input_width}x{manifest.input_height}"
    yield ok("model", f"{manifest.name} ({manifest.network.name}, {size}), every file as its manifest says")

    folder = _module_of(bundle, target)
    if folder is None:
        fact = f"none for {target} yet"
        if has_compiler():
            remedy = f"The node compiles it at its first start, in some seconds; or now: fastdepth compile {model}."
            yield warn("module", fact, remedy)
        else:
            remedy = (
                "Compile it on a machine with the whole apache-tvm: fastdepth compile --target, see docs/boards/tx2.md."
            )
            yield fail("module", f"{fact}, and there is no compiler here", remedy)
        return
    try:
        about = CompiledModule.open(folder).description
    except ModuleError as error:
        yield fail("module", error.cause, error.remedy)
        return
    if about.weights_sha256 != bundle.weights_sha256:
        yield fail("module", f"{folder} was compiled of other weights", f"Compile it again: fastdepth compile {model}.")
        return
    yield ok("module", f"{folder}: {about.target} ({about.cpu}), TVM {about.tvm}, as its description says")
    yield trial(folder)


def trial(folder: Path) -> Check:
    """Run a module a few times in a process of its own, which may crash without harm."""
    again = "Compile the module again for this machine: fastdepth compile --target host."
    command = [sys.executable, "-m", "fastdepth_ros.doctor.trial", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return fail("trial run", f"no depth within {PATIENCE:g} s", "End what else loads the machine, and try again.")
    if done.returncode < 0:
        return fail("trial run", f"the module ended its process by {signal.Signals(-done.returncode).name}", again)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["without a word"])[-1]
        return fail("trial run", f"failed: {last}", again)
    seen = json.loads(done.stdout)
    fact = f"{seen['median_ms']:.1f} ms a picture on {seen['threads']} threads, {seen['resident_mb']} MB resident"
    if not seen["sensible"]:
        return fail("trial run", f"{fact}, but depth is not finite or negative", again)
    return ok("trial run", fact)


def _module_of(bundle: Bundle, target: str) -> Path | None:
    """Where the node would find the module; None where it would have to compile it."""
    folders = (bundle.path / "modules" / target, module_folder(bundle, target))
    found = next((folder for folder in folders if (folder / DESCRIPTION).is_file()), None)
    if found is None and target == "host" and not has_compiler() and (prebuilt := prebuilt_for_here(bundle)):
        return prebuilt.folder
    return found
