"""AVX-VNNI's kernels on processors without it: another process computes vpdpbusd, as tools/emulated_vnni.py has it."""

import os
import platform
import runpy
import subprocess
import sys

import numpy as np
import pytest
from made_weights import CHECKOUT

TOOLS = CHECKOUT / "tools"
TOOL = runpy.run_path(str(TOOLS / "emulated_vnni.py"))
RIP = 0x1000


def emulated(*command):
    return subprocess.run(
        [sys.executable, TOOLS / "emulated_vnni.py", *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "TVM_NUM_THREADS": "1"},
    )


@pytest.fixture(scope="module")
def tracing():
    if platform.machine() != "x86_64" or emulated("true").returncode:
        pytest.skip("this system lets no process trace another, or is none of x86-64")


@pytest.mark.usefixtures("tracing")
def test_kernels_of_avx_vnni_are_the_definition_to_the_bit(tmp_path):
    made = [sys.executable, TOOLS / "emulated_products.py", "write", "alderlake", tmp_path / "kernels"]
    subprocess.run(made, check=True)
    found = emulated(sys.executable, TOOLS / "emulated_products.py", "check", tmp_path / "kernels")
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count(": 0 of ") == len(list((tmp_path / "kernels").glob("*.npz"))) > 0


@pytest.mark.usefixtures("tracing")
def test_a_program_ends_as_it_would_alone():
    assert emulated(sys.executable, "-c", "raise SystemExit(7)").returncode == 7
    assert emulated(sys.executable, "-c", "import os; os.kill(os.getpid(), 15)").returncode == 128 + 15


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # As objdump writes them: vpdpbusd %ymm3,%ymm2,%ymm1; %xmm11,%xmm10,%xmm9; and operands in memory.
        ("c4e26d50cb", (32, 1, 2, 3, 0, 5)),
        ("c4422950cb", (16, 9, 10, 11, 0, 5)),
        ("c4e26d5008", (32, 1, 2, None, 100, 5)),  # (%rax)
        ("c4e26d5048f0", (32, 1, 2, None, 100 - 16, 6)),  # -0x10(%rax)
        ("c4e26d508800010000", (32, 1, 2, None, 100 + 256, 9)),  # 0x100(%rax)
        ("c4a26d500ca0", (32, 1, 2, None, 100 + 4 * 1200, 6)),  # (%rax,%r12,4)
        ("c4c26d500c24", (32, 1, 2, None, 1200, 6)),  # (%r12)
        ("c4c26d504d20", (32, 1, 2, None, 1300 + 32, 6)),  # 0x20(%r13)
        ("c4e26d500d00010000", (32, 1, 2, None, RIP + 9 + 256, 9)),  # 0x100(%rip)
        ("c4e26d500c8500010000", (32, 1, 2, None, 4 * 0 + 256, 10)),  # 0x100(,%rax,4) with rax 0: see below
    ],
)
def test_instructions_are_taken_apart(code, expected):
    registers = [0] * 27
    order = TOOL["ORDER"]
    registers[order[0]] = 0 if code == "c4e26d500c8500010000" else 100
    registers[order[12]], registers[order[13]] = 1200, 1300
    assert TOOL["decode"](bytes.fromhex(code).ljust(15, b"\x90"), RIP, registers) == expected


STRANGE = ["0f0b", "c4e2ed50cb", "c4e26c50cb", "c4e36d50cb", "c4e26d51cb", "c5f8770000", "62f26d4850cb"]
"""Other opcodes, maps, prefixes and widths; the last is AVX-512's vpdpbusd."""


@pytest.mark.parametrize("code", STRANGE)
def test_other_instructions_stay_unknown(code):
    assert TOOL["decode"](bytes.fromhex(code).ljust(15, b"\x90"), RIP, [0] * 27) is None


def test_sums_are_modulo_what_a_word_holds():
    sums = np.array([2**31 - 1, -5, 0, 7], np.int32)
    unsigned = np.full(16, 255, np.uint8)
    signed = np.repeat(np.array([127, -128, 1, 0], np.int8), 4)
    answer = np.frombuffer(TOOL["dot"](sums.tobytes(), unsigned.tobytes(), signed.tobytes()), np.int32)
    expected = sums.astype(np.int64) + 4 * 255 * np.array([127, -128, 1, 0])
    np.testing.assert_array_equal(answer, expected.astype(np.int32))
