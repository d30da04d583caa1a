"""The page that says how many instructions a multiply-add takes is what the compiler makes now."""

import runpy
import shutil
import sys

import pytest
from made_weights import CHECKOUT
from slowly import mostly_slow

sys.path.insert(0, str(CHECKOUT / "tools"))
TOOL = runpy.run_path(str(CHECKOUT / "tools" / "instructions.py"))
PAGE = TOOL["PAGE"].read_text(encoding="utf-8").splitlines()
WRITE = "run: .venv/bin/python tools/instructions.py"

needs_objdump = pytest.mark.skipif(
    not all(map(shutil.which, ("objdump", "aarch64-linux-gnu-objdump"))),
    reason="objdump is missing (apt install binutils binutils-aarch64-linux-gnu)",
)


@needs_objdump
@pytest.mark.parametrize("number", mostly_slow(range(len(TOOL["ROWS"])), 4))
def test_a_kernels_row_is_what_the_compiler_makes_now(tmp_path, number):
    row = TOOL["ROWS"][number]
    assert TOOL["line"](row, TOOL["count"](row, tmp_path)) in PAGE, WRITE


@needs_objdump
@pytest.mark.parametrize("name", mostly_slow(TOOL["TILES"], 2))
def test_a_tiles_row_is_what_the_compiler_makes_now(tmp_path, name):
    assert TOOL["bare_line"](name, TOOL["count_bare"](name, tmp_path)) in PAGE, WRITE


def test_the_page_has_a_row_for_each():
    for row in TOOL["ROWS"]:
        assert any(line.startswith(f"| `{row.target}` | {row.precision} | ") for line in PAGE), WRITE
    for name in TOOL["TILES"]:
        assert any(line.startswith(f"| `{name}` | ") for line in PAGE), WRITE


@pytest.mark.parametrize(("half", "whole"), [("vdpbf16ps", "vpdpbusd"), ("bfdot", "sdot"), ("bfmmla", "smmla")])
def test_products_of_bfloat16_are_half_as_many_as_those_of_bytes(half, whole):
    """What the page says, of the numbers that it has."""
    found = {
        line.split("`")[1]: float(line.split(" | ")[3]) for line in PAGE if "bfloat16 |" in line or "bytes |" in line
    }
    assert found[half] == pytest.approx(2 * found[whole], abs=0.002)
