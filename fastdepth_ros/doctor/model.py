"""The model bundle, its compiled module held against its description, and one run of it."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from fastdepth_ros import children
from fastdepth_ros.doctor.check import fail, failed, ok, warn
from fastdepth_ros.errors import Finding, ModuleError, StorageError
from fastdepth_ros.models import find_bundle
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import find_module, has_compiler, prebuilt_for_here
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import AUTO, FLOAT32, choose
from fastdepth_ros.runtime.shipped import MODULES
from fastdepth_ros.runtime.storage import REMEDY, obstacle, private_folder

PATIENCE = 60.0
"""Seconds that the trial run may take."""


def bundle_and_module(model: str, target: str, precision: str = AUTO) -> Iterator[Finding]:
    """Check the bundle and its module, and run the module.

    Args:
        model: name or folder of the bundle.
        target, precision: of the module.

    Raises:
        BundleError: there is no such bundle, or it was altered.
        ModuleError: TVM is not installed.
    """
    bundle = find_bundle(model)
    manifest = bundle.manifest
    size = f"{manifest.input_width}x{manifest.input_height}"
    yield ok("model", f"{manifest.name} ({manifest.network.name}, {size}), every file as its manifest says")
    choice = choose(bundle, target, precision)
    yield ok("precision", f"{choice.precision}: {choice.reason}")

    told: list[str] = []
    try:
        module = find_module(bundle, target, choice.precision, told.append)
    except ModuleError as error:
        yield failed("module", error)
        return
    for words in told:
        yield warn("module", words.partition(". ")[0], words.partition(". ")[2] or "Remove it, or leave it alone.")
    if module is None:
        shipped = target == "host" and obstacle(MODULES)
        module = prebuilt_for_here(bundle, choice.precision) if shipped else None
        yield _to_be_compiled(bundle, target, choice.precision, module)
        if module is None:
            return
    about = module.description
    yield ok("module", f"{module.folder}: {about.target} ({about.cpu}), TVM {about.tvm}, as its description says")
    yield trial(module.folder)


def _to_be_compiled(bundle: Bundle, target: str, precision: str, instead: CompiledModule | None) -> Finding:
    """Tell what the node will do without a module of its own; whether it can write one is tried.

    Args:
        bundle, target, precision: of the module.
        instead: the module that ships with the bundle and is used where none can be kept.
    """
    fact, order = f"none for {target} yet", f"fastdepth compile {bundle.path} --target {target}"
    if precision != FLOAT32:
        fact, order = f"{fact} in {precision}", f"{order} --precision {precision}"
    if not has_compiler():
        remedy = "Compile it where the whole apache-tvm is: fastdepth compile --target, see docs/boards/tx2.md."
        return fail("module", f"{fact}, and there is no compiler here", remedy)
    refused = obstacle(MODULES)
    if not refused:
        return warn("module", fact, f"The node compiles it at its first start, in some seconds; or now: {order}.")
    if instead:
        return warn("module", f"{fact}, and none can be kept: {refused}. So a shipped one is used", REMEDY)
    try:
        private_folder()
    except StorageError as error:
        return fail("module", f"{fact}, and none can be written: {refused}; {error.cause}", error.remedy)
    return warn("module", f"{fact}, and none can be kept: {refused}", f"It is compiled at each start anew. {REMEDY}")


def trial(folder: Path) -> Finding:
    """Run a module a few times in a process of its own, which may crash without harm."""
    again = "Compile the module again for this machine: fastdepth compile --target host."
    command = children.python("fastdepth_ros.doctor.trial", str(folder))
    environment = children.environment()
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE, check=False)
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
