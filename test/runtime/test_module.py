"""A compiled module that is not what it says, or not for this machine, is refused with a reason and a remedy."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.module import DESCRIPTION, LIBRARY, CompiledModule


@pytest.fixture
def copy(module, tmp_path):
    """A module that a test may spoil."""
    return Path(shutil.copytree(module.folder, tmp_path / "module"))


def edit(folder, **changes):
    file = folder / DESCRIPTION
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_module_says_what_it_is(module, bundle):
    about = module.description
    assert (about.input.width, about.input.height) == (bundle.manifest.input_width, bundle.manifest.input_height)
    assert (about.output.width, about.output.height) == (about.input.width // 2, about.input.height // 2)
    assert about.weights_sha256 == bundle.weights_sha256
    assert about.network == bundle.manifest.network.to_json()
    assert set(about.needs) <= processor.features()


def test_an_altered_library_is_refused(copy):
    library = copy / LIBRARY
    content = bytearray(library.read_bytes())
    content[len(content) // 2] ^= 1
    library.write_bytes(content)
    with pytest.raises(ModuleError, match=r"was altered.*fastdepth compile"):
        CompiledModule.open(copy)


def test_a_missing_library_is_refused(copy):
    (copy / LIBRARY).unlink()
    with pytest.raises(ModuleError, match=r"module\.so is missing"):
        CompiledModule.open(copy)


def test_a_module_for_another_processor_is_refused(copy):
    edit(copy, needs=["avx1024f", "fma"], target="host", cpu="znver9")
    with pytest.raises(ModuleError, match=r"for host \(znver9\).*lacks avx1024f.*--target host"):
        CompiledModule.open(copy)


def test_a_module_of_another_tvm_is_refused(copy):
    edit(copy, tvm="0.9.0")
    with pytest.raises(ModuleError, match=r"made by TVM 0\.9\.0, installed is"):
        CompiledModule.open(copy)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"format": 1}'])
def test_a_broken_description_is_refused(copy, text):
    (copy / DESCRIPTION).write_text(text)
    with pytest.raises(ModuleError, match=r"module\.json cannot be read"):
        CompiledModule.open(copy)


def test_a_description_of_another_format_is_refused(copy):
    edit(copy, format=99)
    with pytest.raises(ModuleError, match="has format 99, this version reads 1"):
        CompiledModule.open(copy)


def test_a_folder_without_module_is_refused(tmp_path):
    with pytest.raises(ModuleError, match="cannot be read"):
        CompiledModule.open(tmp_path / "nothing")


def flip_a_byte(folder):
    with (folder / LIBRARY).open("r+b") as file:
        file.seek(100000)
        byte = file.read(1)[0]
        file.seek(100000)
        file.write(bytes([byte ^ 1]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (flip_a_byte, "was altered"),
        (lambda folder: edit(folder, needs=["avx1024f"]), "lacks avx1024f"),
        (lambda folder: edit(folder, tvm="0.9.0"), "made by TVM 0.9.0"),
    ],
    ids=["one flipped byte", "another processor", "another TVM"],
)
def test_what_does_not_fit_costs_its_process_one_line_and_no_crash(copy, tmp_path, spoil, said):
    spoil(copy)
    code = (
        "import sys; from fastdepth_ros.errors import FastDepthError\n"
        "from fastdepth_ros.runtime.engines import open_engine\n"
        "from fastdepth_ros.runtime.module import CompiledModule\n"
        "try: open_engine(CompiledModule.open(sys.argv[1])).run()\nexcept FastDepthError as error: print(error)"
    )
    command = [sys.executable, "-c", code, copy]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = done.stdout.splitlines()
    assert said in line
    assert "`fastdepth compile" in line


@pytest.mark.parametrize("changes", [{"vector_width": "8"}, {"vector_width": None}, {"network": [1]}])
def test_a_description_of_numbers_that_are_none_is_refused(copy, changes):
    edit(copy, **changes)
    with pytest.raises(ModuleError, match="vector_width is"):
        CompiledModule.open(copy)
