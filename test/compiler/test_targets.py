"""Every processor that modules are made for, without having one."""

import json
import os
import struct
import subprocess
import sys

import pytest
from made_weights import random_weights

from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.compiler.targets import TARGETS
from fastdepth_ros.network import Network
from fastdepth_ros.runtime.bundle import Manifest, sha256, write_bundle

SMALL = Network("small", encoder=(4, *[8] * 13), decoder=(8, 8, 8, 8, 4))
MACHINES = {"x86_64": 62, "aarch64": 183}
"""Numbers of processors in an ELF header."""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "small"
    return write_bundle(folder, Manifest("small", SMALL, 32, 32), random_weights(SMALL), "# Random\n")


@pytest.fixture(scope="module")
def compiled_elsewhere(tmp_path_factory, small):
    """Modules for every target, made by another process with another hash seed in folders of other names."""
    folder = tmp_path_factory.mktemp("elsewhere")
    code = (
        "import sys; from pathlib import Path; from fastdepth_ros.cli import main\n"
        "for target in sys.argv[3:]: main(['compile', sys.argv[1], '--target', target, '--out', sys.argv[2] + target])"
    )
    command = [sys.executable, "-c", code, small.path, f"{folder}/for-", "host", *TARGETS]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.mark.parametrize("target", ["host", *TARGETS])
def test_the_same_bundle_gives_the_same_module(tmp_path, small, compiled_elsewhere, target):
    here, there = compile_bundle(small, target, tmp_path / "here"), compiled_elsewhere / f"for-{target}"
    for name in ("module.so", "module.json"):
        assert sha256(here / name) == sha256(there / name), name


@pytest.mark.parametrize("target", TARGETS)
def test_a_module_says_what_it_is_for_and_what_made_it(compiled_elsewhere, target):
    folder = compiled_elsewhere / f"for-{target}"
    about = json.loads((folder / "module.json").read_text())
    assert (about["target"], about["triple"], about["cpu"]) == (target, TARGETS[target].triple, TARGETS[target].cpu)
    assert about["tvm"]
    assert about["toolchain"].startswith("LLVM ")
    library = (folder / "module.so").read_bytes()
    assert struct.unpack_from("<H", library, 18)[0] == MACHINES[about["triple"].split("-")[0]]
    assert b".debug_info" not in library
    assert b".symtab" not in library


def test_modules_of_different_arm_processors_differ(compiled_elsewhere):
    targets = ("cortex-a57", "cortex-a76", "carmel")
    assert len({sha256(compiled_elsewhere / f"for-{target}" / "module.so") for target in targets}) == 3
