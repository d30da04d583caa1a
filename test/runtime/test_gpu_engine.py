"""The engine for GPUs on a driver made for this test, whose kernels run on the processor. No GPU was ever asked."""

import ctypes
import gc
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from made_weights import CHECKOUT
from small_network import SMALL, small_bundle

from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.cuda.nvrtc import nvrtc
from fastdepth_ros.compiler.cuda.plan import CudaPlanner
from fastdepth_ros.errors import ModuleError
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.gpu import driver as driver_room
from fastdepth_ros.runtime.gpu import engine as engine_room
from fastdepth_ros.runtime.gpu.engine import GpuEngine
from fastdepth_ros.runtime.module import CompiledModule

TOOL = runpy.run_path(str(CHECKOUT / "tools" / "cuda_on_host.py"))
GPU = GPUS["cuda-sm_62"]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    return small_bundle(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def gpu_module(small_modules):
    try:
        nvrtc()
    except ModuleError as error:
        pytest.skip(str(error))
    return CompiledModule.open(small_modules(GPU.name))


@pytest.fixture(scope="module")
def library(small, tmp_path_factory):
    """A driver that knows the kernels of the small network."""
    if shutil.which(TOOL["COMPILER"]) is None:
        pytest.skip("g++ is missing (apt install g++)")
    launches = CudaPlanner(SMALL, small.weights(), GPU).plan(32, 32)
    source, order = TOOL["as_functions"]({launch.name: launch.kernel for launch in launches}, GPU.arch)
    table = ", ".join(f'{{"{name}_kernel", all_of_{name}, {len(names)}}}' for name, names in order.items())
    source += f'#define KERNELS {table}\n#include "{Path(__file__).with_name("host_driver.h")}"\n'
    return TOOL["compile_for_host"](source, tmp_path_factory.mktemp("driver") / "libcuda.so.1")


@pytest.fixture
def fake(library, monkeypatch):
    """Settings of that driver, which the engine takes for NVIDIA's."""
    driver_room.driver.cache_clear()
    monkeypatch.setattr(driver_room, "LIBRARY", str(library))
    loaded = ctypes.CDLL(str(library))

    class Settings:
        def __getattr__(self, name):
            return ctypes.c_int.in_dll(loaded, name).value

        def __setattr__(self, name, value):
            ctypes.c_int.in_dll(loaded, name).value = value

    settings = Settings()
    settings.devices, settings.major, settings.minor = 1, 6, 2
    settings.takes_cubin = settings.takes_ptx = 1
    settings.graphs = settings.waits = 0
    yield settings
    driver_room.driver.cache_clear()


def pictures():
    return np.random.default_rng(3).integers(0, 256, (3, 32, 32, 3)).astype(np.uint8)


def expected(small_module, picture):
    engine = open_engine(small_module)
    engine.input[:] = picture
    return engine.run().copy()


def check(engine, small_module):
    for picture in pictures():
        engine.input[:] = picture
        answer, here = engine.run(), expected(small_module, picture)
        assert here.max() > 0.1
        assert answer.shape == (16, 16)
        np.testing.assert_allclose(answer, here, rtol=1e-3, atol=1e-4 * here.max())


def test_every_picture_gets_its_depth_with_one_launch_and_one_wait(fake, gpu_module, small_module):
    engine = open_engine(gpu_module)
    assert isinstance(engine, GpuEngine)
    check(engine, small_module)
    assert (fake.graphs, fake.waits, fake.loaded_ptx) == (3, 3, 0)


def test_a_driver_without_graphs_gives_the_same(fake, gpu_module, small_module, monkeypatch):
    monkeypatch.setattr(engine_room, "GRAPH_FUNCTIONS", ("cuNotYet",))
    check(open_engine(gpu_module), small_module)
    assert (fake.graphs, fake.waits) == (0, 3)


@pytest.mark.parametrize(("major", "minor"), [(6, 2), (8, 7), (9, 0)])
def test_where_the_machine_code_does_not_fit_the_driver_compiles_the_ptx(fake, gpu_module, small_module, major, minor):
    fake.takes_cubin, fake.major, fake.minor = 0, major, minor
    check(open_engine(gpu_module), small_module)
    assert fake.loaded_ptx


def test_everything_is_given_back(fake, gpu_module):
    gc.collect()
    before = fake.held
    engine = open_engine(gpu_module)
    depth = engine.run()
    assert fake.held > before + 50
    del engine
    gc.collect()
    assert fake.held == before + 1, "the depth that somebody still looks at stays"
    assert np.isfinite(depth).all()
    del depth
    gc.collect()
    assert fake.held == before


@pytest.mark.usefixtures("fake")
def test_threads_may_be_set_and_mean_nothing(gpu_module):
    engine = open_engine(gpu_module, threads=4)
    engine.threads = 2
    assert engine.threads == 1


def test_an_older_gpu_is_refused(fake, gpu_module):
    fake.major, fake.minor = 5, 3
    with pytest.raises(ModuleError, match=r"for sm_62 or newer, and a GPU on the host is sm_53\. .*--target host"):
        open_engine(gpu_module)


def test_a_driver_that_takes_neither_says_why(fake, gpu_module):
    fake.takes_cubin = fake.takes_ptx = 0
    with pytest.raises(ModuleError, match=r"NO_BINARY_FOR_GPU.*INVALID_PTX.*Update the driver"):
        open_engine(gpu_module)


def test_a_driver_without_gpu_is_told(fake, gpu_module):
    fake.devices = 0
    with pytest.raises(ModuleError, match=r"finds no GPU \(cuInit: CUDA_ERROR_NO_DEVICE\).*--target host"):
        open_engine(gpu_module)


def test_without_a_driver_there_is_one_line_and_no_crash(gpu_module):
    code = (
        "import sys\nfrom fastdepth_ros.errors import ModuleError\nfrom fastdepth_ros.runtime.gpu import driver\n"
        "driver.LIBRARY = 'libno-such-driver.so.1'\n"
        "from fastdepth_ros.runtime.engines import open_engine\n"
        "from fastdepth_ros.runtime.module import CompiledModule\n"
        "try: open_engine(CompiledModule.open(sys.argv[1]))\nexcept ModuleError as error: print(error)"
    )
    command = [sys.executable, "-c", code, gpu_module.folder]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = done.stdout.splitlines()
    assert "for a GPU, and NVIDIA's driver is not here" in line
    assert "--target host" in line


def test_a_module_with_one_flipped_byte_is_refused_before_any_driver_sees_it(gpu_module, tmp_path):
    copy = Path(shutil.copytree(gpu_module.folder, tmp_path / "module"))
    with (copy / "module.cuda").open("r+b") as file:
        file.seek(5000)
        byte = file.read(1)
        file.seek(5000)
        file.write(bytes([byte[0] ^ 1]))
    command = [sys.executable, "-m", "fastdepth_ros.doctor.trial", copy]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "module.cuda was altered" in done.stderr.splitlines()[-1]


@pytest.mark.parametrize("arch", ["zen", "sm_", "sm_9\n", "sm_" + "9" * 5000])
def test_a_module_for_a_gpu_that_is_none_is_refused(arch):
    with pytest.raises(ModuleError, match="which is no GPU"):
        engine_room.load(None, None, arch)
