"""Runs the CUDA kernels of a network on this machine's processor: `cuda_on_host.py [BUNDLE] [TARGET]`.

The CUDA C that a GPU's module is made of is compiled by g++, with a stand-in for blocks, threads and barriers
(cuda_on_host.h), and its depth is compared with that of the module for this machine. That proves arithmetic, indices
and barriers of the source; it says nothing about NVIDIA's compiler, its driver or any speed. Needs g++.
"""

from __future__ import annotations

import ctypes
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.arguments import allocate
from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.compiler.cuda.grid import Kernel
from fastdepth_ros.compiler.cuda.plan import CudaPlanner, Launch
from fastdepth_ros.compiler.cuda.source import cuda_source, parameters
from fastdepth_ros.compiler.plan import PICTURE
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine

HEADER = Path(__file__).with_suffix(".h")
COMPILER = "g++"


def as_functions(kernels: Mapping[str, Kernel], arch: str) -> tuple[str, dict[str, list[str]]]:
    """C++ with a function ``all_of_<name>(void **arguments)`` for every kernel, and each one's arguments in order."""
    source = cuda_source(kernels, arch)
    order = parameters(source)
    lines = [f'#include "{HEADER}"', source]
    for name, names in order.items():
        types = {argument: dtype for argument, _, dtype in kernels[name].arguments}
        words = ("(uchar *)" if types[argument] == "uint8" else "(float *)" for argument in names)
        passed = ", ".join(f"{word}a[{i}]" for i, word in enumerate(words))
        lines.append(f"static void all_of_{name}(void **a) {{ {name}_kernel({passed}); }}\n")
    return "\n".join(lines), order


def compile_for_host(source: str, library: Path) -> Path:
    """Compile C++ to a shared library."""
    file = library.with_suffix(".cpp")
    file.write_text(source, encoding="utf-8")
    # No alias analysis: the kernels read and write numbers as vectors, which C++ does not allow and CUDA does.
    options = ["-O1", "-std=c++17", "-fno-strict-aliasing", "-ffp-contract=off", "-w", "-fmax-errors=3"]
    subprocess.run([COMPILER, *options, "-shared", "-fPIC", str(file), "-o", str(library)], check=True)
    return library


class OnHost:
    """Kernels as functions of NumPy arrays.

    Args:
        kernels: by name.
        arch: that their source is written for.
        folder: for what is compiled.
    """

    def __init__(self, kernels: Mapping[str, Kernel], arch: str, folder: Path) -> None:
        self.kernels = dict(kernels)
        source, self.order = as_functions(kernels, arch)
        for name in kernels:
            source += (
                f'extern "C" void run_{name}(void **a, int gx, int gy, int threads, int downwards) '
                f"{{ on_host(all_of_{name}, a, gx, gy, threads, downwards); }}\n"
            )
        self.library = ctypes.CDLL(str(compile_for_host(source, folder / "kernels.so")))

    def run(self, name: str, arrays: Sequence[np.ndarray], downwards: bool = False) -> None:
        """Run a kernel on its arguments, in the order of ``Kernel.arguments``; the last one is written."""
        kernel = self.kernels[name]
        for (argument, shape, dtype), array in zip(kernel.arguments, arrays, strict=True):
            assert array.size == np.prod(shape), f"{name}: {argument} has {array.size} numbers, not {shape}"
            assert array.dtype == dtype, f"{name}: {argument} is {array.dtype}"
            assert array.ctypes.data % 16 == 0, f"{name}: {argument} is not aligned"
        by_name = {argument[0]: array for argument, array in zip(kernel.arguments, arrays, strict=True)}
        pointers = [by_name[argument].ctypes.data for argument in self.order[name]]
        self.library[f"run_{name}"](
            (ctypes.c_void_p * len(pointers))(*pointers), *kernel.grid, kernel.threads, int(downwards)
        )


def run_network(launches: Sequence[Launch], picture: np.ndarray, host: OnHost, downwards: bool = False) -> np.ndarray:
    """The depth of a picture (H, W, 3)."""
    maps: dict[str, Any] = {PICTURE: own(picture.reshape(picture.shape[0], -1))}
    for launch in launches:
        out = allocate((launch.size,), np.float32)
        host.run(launch.name, [*(maps[name] for name in launch.reads), *map(own, launch.arrays), out], downwards)
        maps[launch.name] = out
    return maps[launches[-1].name].reshape(launches[-1].answer)


def own(array: np.ndarray) -> np.ndarray:
    """A copy that begins where a vector may."""
    copy = allocate(array.shape, array.dtype.type)
    copy[:] = array
    return copy


def main() -> int:
    """Compare, and say how far apart."""
    bundle = find_bundle(sys.argv[1] if len(sys.argv) > 1 else DEFAULT)
    gpu = GPUS[sys.argv[2] if len(sys.argv) > 2 else "cuda-sm_62"]
    manifest = bundle.manifest
    size = manifest.input_height, manifest.input_width
    picture = runpy.run_path(str(HEADER.with_name("run_module.py")))["picture"](*size)
    launches = CudaPlanner(manifest.table, bundle.weights(), gpu).plan(*size)
    engine = open_engine(module_for(bundle))
    engine.input[:] = picture
    expected = engine.run()
    with tempfile.TemporaryDirectory() as folder:
        host = OnHost({launch.name: launch.kernel for launch in launches}, gpu.arch, Path(folder))
        up, down = (run_network(launches, picture, host, downwards) for downwards in (False, True))
    error = float(np.abs(up - expected).max())
    good = error < 1e-4 and np.array_equal(up, down) and expected.max() > 0.1
    sys.stdout.write(
        f"{gpu.name}, {manifest.name} {bundle.weights_sha256[:12]}: {len(launches)} kernels on the host, max error"
        f" {error:.1e} m against the module for this machine, depth {up.min():.2f} to {up.max():.2f} m, threads upwards"
        f" and downwards {'alike' if np.array_equal(up, down) else 'DIFFERENT'}: {'ok' if good else 'WRONG'}\n"
    )
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
