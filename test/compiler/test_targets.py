"""Every processor that modules are made for, without having one."""

import json
import os
import struct
import subprocess
import sys

import pytest
from slowly import again, mostly_again, mostly_slow
from small_network import small_bundle

from fastdepth_ros.compiler.targets import TARGETS
from fastdepth_ros.runtime.bundle import sha256

FEW = ("cortex-a57", "cortex-a76", "carmel", "x86-64-v4")
ORDER = [*FEW, *(target for target in TARGETS if target not in FEW)]
MACHINES = {"x86_64": 62, "aarch64": 183}
"""Numbers of processors in an ELF header."""


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("small"))


@pytest.mark.parametrize("target", [again(ORDER[0]), *mostly_slow([*ORDER[1:], "host"], 0)])
def test_the_same_bundle_gives_the_same_module(tmp_path, small, small_modules, target):
    """Made by another process with another hash seed in a folder of another name."""
    code = "import sys; from fastdepth_ros.cli import main; sys.exit(main(sys.argv[1:]))"
    command = [sys.executable, "-c", code, "compile", small.path, "--target", target, "--out", tmp_path / "for it"]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True, stdout=subprocess.DEVNULL)
    for name in ("module.so", "module.json"):
        assert sha256(small_modules(target) / name) == sha256(tmp_path / "for it" / name), name


@pytest.mark.parametrize("target", [*mostly_again(FEW), *mostly_slow(ORDER[len(FEW) :], 0)])
def test_a_module_says_what_it_is_for_and_what_made_it(small_modules, target):
    folder = small_modules(target)
    about = json.loads((folder / "module.json").read_text())
    assert (about["target"], about["triple"], about["cpu"]) == (target, TARGETS[target].triple, TARGETS[target].cpu)
    assert about["tvm"]
    assert about["toolchain"].startswith("LLVM ")
    library = (folder / "module.so").read_bytes()
    assert struct.unpack_from("<H", library, 18)[0] == MACHINES[about["triple"].split("-")[0]]
    assert b".debug_info" not in library
    assert b".symtab" not in library


def test_modules_of_different_processors_differ(small_modules):
    assert len({sha256(small_modules(target) / "module.so") for target in (FEW[0], "host")}) == 2
