"""Whether the sums of the ARM kernels stay in registers: their machine code is read, no ARM processor needed."""

import runpy
import shutil

import pytest
from made_weights import CHECKOUT, random_weights

from fastdepth_ros.compiler.codegen import compile_kernel
from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.network import PRUNED

SPILLS = runpy.run_path(str(CHECKOUT / "tools" / "spills.py"))
needs_objdump = pytest.mark.skipif(
    shutil.which(SPILLS["OBJDUMP"]) is None,
    reason=f"{SPILLS['OBJDUMP']} is missing (apt install binutils-aarch64-linux-gnu)",
)


@pytest.fixture(scope="module", params=["cortex-a57", "carmel"])
def loops(request, bundle, tmp_path_factory):
    folder = compile_bundle(bundle, request.param, tmp_path_factory.mktemp("arm") / "module")
    return SPILLS["hot_loops"](folder / "module.so")


@needs_objdump
def test_no_hot_loop_writes_a_sum_to_the_stack(loops):
    assert not [loop for loop in loops if loop.writes]


@needs_objdump
def test_hot_loops_read_few_constants_from_the_stack(loops):
    assert not [loop for loop in loops if loop.reads > loop.fmla / 5]


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
    kernel = compile_kernel(stage.kernel(Tiling(panel=4, pixels=7, unroll=4, strip=14, rows=8)), target)
    kernel.write_to_file(str(tmp_path / "conv1.o"))
    (tmp_path / "conv1.so").write_bytes(link([(tmp_path / "conv1.o").read_bytes()]))
    assert any(loop.writes for loop in SPILLS["hot_loops"](tmp_path / "conv1.so"))
