"""Modules for GPUs, compiled without one: the same each time, no spills, PTX that old drivers read, clear refusals."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import kept_code
import numpy as np
import pytest
from made_weights import CHECKOUT, random_weights
from slowly import again
from small_network import small_bundle

from fastdepth_ros.compiler.cuda import nvrtc as nvrtc_room
from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.cuda.nvrtc import nvrtc
from fastdepth_ros.compiler.cuda.plan import CudaPlanner
from fastdepth_ros.compiler.cuda.ptx import for_drivers_since
from fastdepth_ros.compiler.cuda.resources import usage
from fastdepth_ros.compiler.cuda.source import cuda_source
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.errors import ModuleError, SettingError
from fastdepth_ros.network import FULL, PRUNED
from fastdepth_ros.runtime.bundle import sha256
from fastdepth_ros.runtime.gpu.program import DEPTH, PICTURE, Launch, Program
from fastdepth_ros.runtime.module import CompiledModule

SHARED_BYTES = 48 * 1024
"""Shared memory of a block, on every GPU without asking for more."""

REGISTERS = 32768
"""Registers of a block on the TX2 (compute capability 6.2 in the CUDA C++ Programming Guide); the others have 65536."""


@pytest.fixture(scope="module")
def compiler():
    """NVIDIA's compiler, where it is installed."""
    try:
        return nvrtc()
    except ModuleError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def module(compiler, small_modules):
    assert compiler.version
    return small_modules("cuda-sm_62")


@pytest.fixture(scope="module")
def compiled_elsewhere(compiler, tmp_path_factory, small):
    """Modules for every GPU, made by another process with another hash seed in folders of other names."""
    assert compiler.version
    folder = tmp_path_factory.mktemp("elsewhere")
    code = (
        "import sys; from fastdepth_ros.cli import main\n"
        "for target in sys.argv[3:]: main(['compile', sys.argv[1], '--target', target, '--out', sys.argv[2] + target])"
    )
    command = [sys.executable, "-c", code, small.path, f"{folder}/for-", *GPUS]
    subprocess.run(command, env={**os.environ, "PYTHONHASHSEED": "7"}, check=True, stdout=subprocess.DEVNULL)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("target", GPUS)
def test_the_same_bundle_gives_the_same_module(tmp_path, monkeypatch, small, compiled_elsewhere, target):
    monkeypatch.delenv(kept_code.FOLDER)
    here, there = compile_bundle(small, target, tmp_path / "here"), compiled_elsewhere / f"for-{target}"
    for name in ("module.cuda", "module.json"):
        assert sha256(here / name) == sha256(there / name), name
    about = CompiledModule.open(here).description
    assert (about.target, about.triple, about.cpu) == (target, "nvptx64-nvidia-cuda", GPUS[target].arch)
    assert about.toolchain.startswith("NVRTC 1")


def test_a_module_holds_code_weights_and_the_order_of_its_kernels(module):
    program = Program.read(module / "module.cuda")
    known = {PICTURE, DEPTH, *program.maps, *program.weights}
    written = {PICTURE}
    assert {launch.kernel for launch in program.launches} == set(usage(program.cubin))
    for launch in program.launches:
        assert known.issuperset(launch.arguments)
        assert f".entry {launch.kernel}(" in program.ptx
        maps = {name for name in launch.arguments if name not in program.weights}
        assert len(maps - written) == 1, f"{launch.kernel} reads what no kernel before it wrote"
        written |= maps
    assert DEPTH in program.launches[-1].arguments


WHOLE = [
    again((PRUNED, "cuda-sm_62")),
    *(pytest.param((PRUNED, target), marks=pytest.mark.slow) for target in GPUS if target != "cuda-sm_62"),
    pytest.param((FULL, "cuda-sm_62"), marks=pytest.mark.slow),
]


@pytest.fixture(scope="module", params=WHOLE, ids=lambda pair: f"{pair[0].name} {pair[1]}")
def whole(request, compiler):
    """A published network at its full size, compiled for a GPU."""
    network, target = request.param
    gpu = GPUS[target]
    launches = CudaPlanner(network, random_weights(network), gpu).plan(224, 224)
    source = cuda_source({launch.name: launch.kernel for launch in launches}, gpu.arch)
    return gpu, launches, compiler.compile(source, gpu.arch)


def test_no_kernel_spills_and_every_block_fits(whole):
    _, launches, compiled = whole
    found = usage(compiled.cubin)
    for launch in launches:
        takes = found[f"{launch.name}_kernel"]
        assert takes.local == 0, launch.name
        assert 0 < takes.shared <= SHARED_BYTES, launch.name
        assert 0 < takes.registers * launch.kernel.threads <= REGISTERS, launch.name


def test_an_assembler_of_the_oldest_driver_accepts_the_ptx(whole, tmp_path):
    gpu, _, compiled = whole
    file = tmp_path / "kernels.ptx"
    file.write_text(for_drivers_since(gpu.ptx, compiled.ptx))
    assert f"\n.version {gpu.ptx}\n" in file.read_text()
    # The assembler holds instructions against the version that the file names.
    done = subprocess.run([assembler(), f"-arch={gpu.arch}", "-o", os.devnull, file], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def assembler():
    """NVIDIA's ptxas of requirements/test.txt."""
    for folder in map(Path, sys.path):
        if (found := folder / "nvidia" / "cuda_nvcc" / "bin" / "ptxas").is_file():
            return found
    pytest.skip("ptxas is missing (requirements/test.txt)")


def test_spilled_registers_and_shared_memory_are_noticed(compiler):
    source = (
        'extern "C" __global__ void spilling(float *x) { float a[64]; __shared__ float s[32];\n'
        "for (int i = 0; i < 64; i++) a[i] = x[i]; s[threadIdx.x % 32] = x[0]; __syncthreads();\n"
        "for (int i = 0; i < 64; i++) a[i * (int)x[i] % 64] += x[i];\n"
        "x[blockIdx.x] = a[threadIdx.x % 64] + s[blockIdx.x % 32]; }\n"
    )
    found = usage(compiler.compile(source, "sm_62").cubin)["spilling"]
    assert found.local >= 256
    assert found.shared == 128
    assert 8 <= found.registers <= 255


def test_a_source_that_is_wrong_is_told(compiler):
    with pytest.raises(ModuleError, match=r"does not compile the kernels: .*identifier \"wrong\" is undefined"):
        compiler.compile('extern "C" __global__ void f(float *x) { x[0] = wrong; }', "sm_62")


def test_a_gpu_that_the_compiler_does_not_know_is_told(compiler):
    with pytest.raises(ModuleError, match=r"does not compile for sm_20.*pip install"):
        compiler.compile("", "sm_20")


def test_without_nvidias_compiler_the_remedy_is_named(monkeypatch, small, tmp_path, capsys):
    from fastdepth_ros.cli import main

    monkeypatch.setattr(nvrtc_room, "_places", lambda: iter(["libnothing.so.12"]))
    nvrtc.cache_clear()
    try:
        assert main(["compile", str(small.path), "--target", "cuda-sm_62", "--out", str(tmp_path / "module")]) == 2
    finally:
        nvrtc.cache_clear()
    said = capsys.readouterr().err
    assert "NVRTC is not installed" in said
    # The very version of the extra.
    (pin,) = [line for line in (CHECKOUT / "requirements" / "cuda.txt").read_text().splitlines() if line[0] != "#"]
    assert f"pip install {pin}" in " ".join(said.split())
    assert not (tmp_path / "module").exists()


def test_a_gpu_is_no_processor_to_tune_for():
    with pytest.raises(SettingError, match=r"cuda-sm_62 is a GPU"):
        find_target("cuda-sm_62")


def test_one_flipped_byte_is_noticed(module, tmp_path):
    copy = Path(shutil.copytree(module, tmp_path / "module"))
    content = bytearray((copy / "module.cuda").read_bytes())
    content[len(content) // 2] ^= 1
    (copy / "module.cuda").write_bytes(content)
    with pytest.raises(ModuleError, match=r"module\.cuda was altered.*fastdepth compile"):
        CompiledModule.open(copy)


@pytest.mark.parametrize("content", [b"", b"\x10\0\0\0\0\0\0\0{}              ", b"no file of ours" * 9])
def test_a_file_that_is_no_program_is_refused(tmp_path, content):
    (tmp_path / "module.cuda").write_bytes(content)
    with pytest.raises(ModuleError, match=r"module\.cuda cannot be read"):
        Program.read(tmp_path / "module.cuda")


PROGRAM = Program(
    b"code",
    "words",
    (Launch("k", (2, 1), 64, (PICTURE, "map", "w", DEPTH)),),
    {"map": 9},
    {"w": np.ones(3, np.float32)},
)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (replace(PROGRAM, maps={"map": -9}), "map 'map' has -9 numbers"),
        (replace(PROGRAM, maps={"map": 2.5}), "map 'map' has 2.5 numbers"),
        (replace(PROGRAM, maps={"map": 10**30}), "map 'map' has 1"),
        (replace(PROGRAM, maps={"map": 9, "w": 9}), "two of its arrays have one name"),
        (replace(PROGRAM, launches=(Launch("k", (2, 1), 64, ("map", "elsewhere")),)), "takes 'elsewhere'"),
        (replace(PROGRAM, launches=(Launch("k", (2, 1), 4096, ("map",)),)), "is launched 4096 times"),
        (replace(PROGRAM, launches=(Launch("k", (0, 1), 64, ("map",)),)), "is launched 0 times"),
        (replace(PROGRAM, launches=(Launch("k", (2, 1, 1), 64, ("map",)),)), "too many values"),
    ],
)
def test_a_program_that_no_gpu_can_run_is_refused_as_it_is_read(tmp_path, changed, words):
    PROGRAM.write(tmp_path / "module.cuda")
    assert Program.read(tmp_path / "module.cuda").launches == PROGRAM.launches
    changed.write(tmp_path / "module.cuda")
    with pytest.raises(ModuleError, match=rf"module\.cuda cannot be read \(.*{words}"):
        Program.read(tmp_path / "module.cuda")


def test_another_tvm_does_not_matter_to_a_gpu(module, tmp_path):
    copy = Path(shutil.copytree(module, tmp_path / "module"))
    about = json.loads((copy / "module.json").read_text())
    (copy / "module.json").write_text(json.dumps({**about, "tvm": "0.9.0"}))
    assert CompiledModule.open(copy).description.tvm == "0.9.0"


def test_newer_ptx_is_marked_for_older_drivers_and_older_is_left():
    new = '.version 8.8\n.target sm_62\n\t.pragma "used_bytes_mask 255";\n\tret;\n'
    assert for_drivers_since("6.5", new) == ".version 6.5\n.target sm_62\n\tret;\n"
    assert for_drivers_since("9.0", new) == new
