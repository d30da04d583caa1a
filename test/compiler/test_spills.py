"""Machine code of the hot loops, read without the processor that it is for: do sums stay in registers, what is done?"""

import runpy
import shutil

import pytest
from made_weights import CHECKOUT, random_weights
from slowly import mostly_again

from fastdepth_ros.compiler import tiling
from fastdepth_ros.compiler.codegen import write_object
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.pointwise import find_precision
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import PRUNED

SPILLS = runpy.run_path(str(CHECKOUT / "tools" / "spills.py"))


def needs(program, package):
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} is missing (apt install {package})")


needs_objdump = needs(SPILLS["OBJDUMP"], "binutils-aarch64-linux-gnu")


@pytest.fixture(scope="module", params=mostly_again(["cortex-a57", "carmel"], 0))
def loops(request, bundle, tmp_path_factory):
    folder = compile_bundle(bundle, request.param, tmp_path_factory.mktemp("arm") / "module")
    return SPILLS["hot_loops"](folder / "module.so")


@needs_objdump
def test_no_hot_loop_writes_a_sum_to_the_stack(loops):
    assert not [loop for loop in loops if loop.writes]


@needs_objdump
def test_hot_loops_read_few_constants_from_the_stack(loops):
    network = [loop for loop in loops if not loop.function.removeprefix("__tvm_ffi_").startswith("anchor_")]
    assert len(network) > 20
    # Those of anchors go over 784 cells of a map, where a network's go over millions.
    assert not [loop for loop in network if loop.reads > loop.products / 5]


@needs_objdump
def test_every_kernel_with_a_product_is_looked_at(loops):
    seen = {loop.function.removeprefix("__tvm_ffi_") for loop in loops}
    assert seen >= {
        "conv0",
        *(f"conv{i}" for i in range(1, 12)),
        "conv13_pw",
        *(f"decode_conv{i}" for i in range(2, 6)),
    }


@needs_objdump
def test_a_tile_that_is_too_large_is_noticed(tmp_path):
    """28 sums of a product and 11 registers for its operands do not fit 32."""
    target = find_target("cortex-a57")
    stages = Planner(PRUNED, random_weights(PRUNED), target.lanes).plan(224, 224)
    (stage,) = [stage for stage in stages if stage.name == "conv1"]
    kernel = stage.kernel(Tiling(panel=4, pixels=7, unroll=4, strip=14, rows=8))
    write_object(kernel, target, tmp_path / "conv1.o")
    (tmp_path / "conv1.so").write_bytes(link([(tmp_path / "conv1.o").read_bytes()]))
    assert any(loop.writes for loop in SPILLS["hot_loops"](tmp_path / "conv1.so"))


BYTES = ("conv5", "conv11", "conv13_pw", "decode_conv4")
"""Kernels of every kind: by rows and by panels, of the encoder and of the decoder."""


@pytest.mark.parametrize(
    ("target", "product", "most"),
    [
        pytest.param("x86-64-v3", "vpmaddubsw", 0.15, marks=needs("objdump", "binutils")),
        pytest.param("x86-64-v4", "vpdpbusd", 0.03, marks=needs("objdump", "binutils")),
        pytest.param("alderlake", "vpdpbusd", 0.1, marks=[needs("objdump", "binutils"), pytest.mark.again]),
        pytest.param("cortex-a76", "sdot", 0.12, marks=needs_objdump),
        pytest.param("cortex-a57", "smull", 0.34, marks=[needs_objdump, pytest.mark.again]),
    ],
)
def test_int8_is_computed_in_its_instructions_and_in_registers(tmp_path, target, product, most):
    """A multiply-add in float32 of AVX2 takes at least 0.125 instructions for itself, and 0.19 with its broadcast."""
    goal = find_target(target, "int8")
    precision = find_precision("int8", goal)
    planned = Planner(PRUNED, random_weights(PRUNED), goal.lanes, precision).plan(224, 224)
    stages = [stage for stage in planned if stage.name in BYTES]
    table = tiling.choose(stages, goal, tiling.measured(goal, precision.name))
    for stage in stages:
        write_object(stage.kernel(table[stage.name]), goal, tmp_path / f"{stage.name}.o")
    library = tmp_path / "module.so"
    library.write_bytes(link([(tmp_path / f"{name}.o").read_bytes() for name in BYTES]))
    loops = [loop for loop in SPILLS["hot_loops"](library) if product in loop.names]
    assert {loop.function.removeprefix("__tvm_ffi_") for loop in loops} == set(BYTES)
    # LLVM loads inputs ahead of their use, and so keeps more than it needs to: some few go to the stack and back.
    assert not [loop for loop in loops if loop.writes > loop.products / 4]
    # A short last vector's instruction does half of the products, and needs as many others as a whole one's.
    whole = 64 if goal.name == "x86-64-v4" else 0
    work = sum(max(loop.macs, whole * loop.products) for loop in loops)
    assert sum(loop.instructions for loop in loops) / work < most
