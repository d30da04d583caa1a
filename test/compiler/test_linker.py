"""The linker: that its x86 libraries run is what every other test here shows; this is the rest."""

import itertools
import struct
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import tvm
from small_network import small_bundle

from fastdepth_ros.compiler import ir
from fastdepth_ros.compiler.codegen import write_object
from fastdepth_ros.compiler.linker.library import link
from fastdepth_ros.compiler.linker.machines import MACHINES
from fastdepth_ros.compiler.linker.objects import LinkError, read_object
from fastdepth_ros.compiler.targets import find_target

AARCH64, X86_64 = 183, 62


def object_file(tmp_path, target, name="double"):
    """A kernel that doubles 64 numbers on every core."""

    def body(x, out):
        with ir.parallel(4) as task:
            ir.store(out, ir.load(x, task * 16, 16) * ir.splat(2.0, 16), task * 16, 16)

    kernel = ir.kernel(name, [("x", (64,), "float32"), ("out", (64,), "float32")], body)
    path = tmp_path / f"{target}-{name}.o"
    tvm.tirx.build(tvm.IRModule({name: kernel}), find_target(target).llvm()).write_to_file(str(path))
    return path.read_bytes()


def test_a_linked_library_is_loaded_by_the_system_and_runs(tmp_path):
    library = tmp_path / "double.so"
    library.write_bytes(link([object_file(tmp_path, "host")]))
    x, out = np.arange(64, dtype=np.float32), np.zeros(64, np.float32)
    x, out = tvm.runtime.tensor(x), tvm.runtime.tensor(out)
    tvm.runtime.load_module(str(library))["double"](x, out)
    assert np.array_equal(out.numpy(), np.arange(64) * 2)


def test_a_kernel_may_be_called_twice_by_another(tmp_path):
    """TVM declares it once more for each call, and LLVM gives each of these a number."""

    def body(x, out):
        last, first = (ir.part(each, start, 64, "float32") for each, start in ((x, 64), (out, 0)))
        ir.call("double", last, first)
        ir.call("double", first, ir.part(out, 64, 64, "float32"))

    kernel = ir.kernel("twice", [("x", (128,), "float32"), ("out", (128,), "float32")], body)
    write_object(kernel, find_target("host"), tmp_path / "twice.o")
    library = tmp_path / "both.so"
    library.write_bytes(link([(tmp_path / "twice.o").read_bytes(), object_file(tmp_path, "host")]))
    x = np.arange(128, dtype=np.float32)
    out = tvm.runtime.tensor(np.zeros(128, np.float32))
    tvm.runtime.load_module(str(library))["twice"](tvm.runtime.tensor(x), out)
    np.testing.assert_array_equal(out.numpy(), np.concatenate([2 * x[64:], 4 * x[64:]]))


def test_no_page_of_a_library_is_both_written_and_executed(tmp_path):
    library = link([object_file(tmp_path, "host")])
    count = struct.unpack_from("<H", library, 56)[0]
    headers = [struct.unpack_from("<IIQQQQQQ", library, 64 + 56 * i) for i in range(count)]
    assert not [h for h in headers if h[1] & 1 and h[1] & 2]
    loaded = [h for h in headers if h[0] == 1]
    for before, after in itertools.pairwise(loaded):
        assert before[2] + before[5] <= after[2], "segments overlap"
        assert after[2] % after[7] == 0, "a segment does not begin on a page"


def test_arm_instructions_reach_what_they_name(tmp_path):
    """Decodes each pair of adrp and add or ldr as the processor would, and looks at what lies there."""
    content = object_file(tmp_path, "cortex-a57")
    library, (text,) = link([content]), [s for s in read_object(content).sections if s.name == ".text"]
    start, symbols, loader = find(library, text), exported_symbols(library), loader_relocations(library)
    pages, seen = {}, set()
    for relocation in sorted(text.relocations, key=lambda r: r.offset):
        at, symbol = start + relocation.offset, relocation.symbol
        (word,) = struct.unpack_from("<I", library, at)
        low = word >> 10 & 0xFFF
        if relocation.kind in (275, 311):  # adrp
            distance = (word >> 5 & 0x7FFFF) << 2 | word >> 29 & 3
            pages[word & 31] = (at >> 12) + distance - (distance >> 20 << 21)
        elif relocation.kind == 277:  # add, the low bits of a constant's address
            target, there = (pages[word >> 5 & 31] << 12) + low, symbol.value + relocation.addend
            constant = symbol.section.data[there : there + 16]
            assert constant
            assert library[target : target + len(constant)] == constant
        elif relocation.kind == 312:  # ldr, an entry of the global offset table
            kind, name, addend = loader[(pages[word >> 5 & 31] << 12) + low * 8]
            assert (kind, name) == (1025, symbol.name) or (kind, addend) == (1027, symbols[symbol.name])
        seen.add(relocation.kind)
    assert seen >= {275, 277, 311, 312}


def find(library, text):
    """Address at which the code landed: its first instructions that no relocation touches."""
    touched = {r.offset for r in text.relocations}
    clean = next(i for i in range(0, len(text.data), 4) if not touched & set(range(i, i + 32)))
    return library.index(bytes(text.data[clean : clean + 32])) - clean


def dynamic(library):
    count = struct.unpack_from("<H", library, 56)[0]
    headers = [struct.unpack_from("<IIQQQQQQ", library, 64 + 56 * i) for i in range(count)]
    at, size = next((h[2], h[5]) for h in headers if h[0] == 2)
    return dict(struct.unpack_from("<QQ", library, at + i) for i in range(0, size, 16))


def symbol_table(library):
    facts = dynamic(library)
    count = struct.unpack_from("<II", library, facts[4])[1]
    for i in range(count):
        name, _, _, section, value, _ = struct.unpack_from("<IBBHQQ", library, facts[6] + 24 * i)
        start = facts[5] + name
        yield library[start : library.index(b"\0", start)].decode(), section, value


def exported_symbols(library):
    return {name: value for name, section, value in symbol_table(library) if section}


def loader_relocations(library):
    facts, names = dynamic(library), [name for name, _, _ in symbol_table(library)]
    found = {}
    for i in range(0, facts[8], 24):
        at, info, addend = struct.unpack_from("<QQq", library, facts[7] + i)
        found[at] = info & 0xFFFFFFFF, names[info >> 32], addend
    return found


def test_a_symbol_that_is_defined_twice_is_refused(tmp_path):
    content = object_file(tmp_path, "host")
    with pytest.raises(LinkError, match="double is defined twice"):
        link([content, content])


def test_object_files_of_two_processors_are_refused(tmp_path):
    other = "x86-64-v3" if read_object(object_file(tmp_path, "host")).machine == AARCH64 else "cortex-a57"
    with pytest.raises(LinkError, match=f"{X86_64}, {AARCH64}"):
        link([object_file(tmp_path, "host"), object_file(tmp_path, other, "other")])


def test_what_is_no_object_file_is_refused():
    with pytest.raises(LinkError, match="no 64-bit"):
        link([b"#include <stdio.h>" * 10])


def test_an_unknown_relocation_is_refused(tmp_path, monkeypatch):
    content = object_file(tmp_path, "host")
    machine = MACHINES[read_object(content).machine]
    monkeypatch.setitem(MACHINES, read_object(content).machine, replace(machine, relocations={}))
    with pytest.raises(LinkError, match="is not known"):
        link([content])


@pytest.mark.again
def test_compiling_needs_no_c_compiler(tmp_path):
    """With an empty PATH neither gcc nor ld can be found."""
    small = small_bundle(tmp_path)
    command = [sys.executable, "-m", "fastdepth_ros.compiler", small.path, "--out", tmp_path / "module"]
    done = subprocess.run(command, env={"PATH": "", "HOME": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "module" / "module.so").is_file()
