"""From TensorIR to CUDA C."""

from __future__ import annotations

import re
from collections.abc import Mapping

import tvm

from fastdepth_ros.compiler.cuda.grid import Kernel

START = re.compile(r'extern "C" __global__')
BOUNDS = re.compile(r"__launch_bounds__\((\d+)\)")
BLOCKS_AT_ONCE = 2
"""Blocks of threads for which NVIDIA's compiler leaves registers on a multiprocessor. If it may choose, it saves
registers for more blocks, and then spills some."""

SIGNATURE = re.compile(r'extern "C" __global__ void (?:__launch_bounds__\([\d, ]+\) )?(\w+)_kernel\(([^)]*)\);')


def cuda_source(kernels: Mapping[str, Kernel], arch: str) -> str:
    """The CUDA C of kernels, without any ``#include``; each is called ``<name>_kernel``."""
    target = tvm.target.Target({"kind": "cuda", "arch": arch}, host={"kind": "c"})
    # Where TVM's CUDA runtime is installed, TVM has every source compiled, with what this machine happens to have.
    tvm.register_global_func("tvm_callback_cuda_compile", lambda _source, _target: "", override=True)
    module = tvm.tirx.build(tvm.IRModule({name: kernel.function for name, kernel in kernels.items()}), target)
    text = str(module.imports[0].inspect_source())
    first = START.search(text)
    assert first, "TVM wrote no kernel"
    text = BOUNDS.sub(rf"__launch_bounds__(\1, {BLOCKS_AT_ONCE})", text[first.start() :])
    return text.rstrip() + "\n"


def parameters(source: str) -> dict[str, list[str]]:
    """Kernel -> its arguments in the order in which the CUDA function takes them, which is TVM's choice."""

    def names(text: str) -> list[str]:
        return [word.split()[-1].removesuffix("_ptr") for word in text.split(",")]

    return {name: names(text) for name, text in SIGNATURE.findall(source)}
