"""Products of bytes for another processor against the plain numpy definition, to the bit; tools/emulate.sh runs it.

`emulated_int8.py write TARGET FOLDER` compiles the tests' kernels for a target, and writes what they get and what they
have to give; `emulated_int8.py check FOLDER` runs them where that processor is, or is emulated. Exit status 1 if a bit
differs.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SAME, DIFFERS = 0, 1


def write(name: str, folder: Path) -> None:
    """Compile the kernels, each a library of its own."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "test" / "compiler"))
    from int8_cases import exact

    from fastdepth_ros.compiler.codegen import write_object
    from fastdepth_ros.compiler.linker.library import link
    from fastdepth_ros.compiler.targets import find_target
    from fastdepth_ros.runtime.processor import byte_products

    target = find_target(name)
    products = byte_products(target.needs, target.lanes)
    if products is None:
        raise SystemExit(f"{name} has no products of bytes")
    folder.mkdir(parents=True)
    for case_name, case in exact(products).items():
        own = folder / f"{products.name}-{case_name}"
        write_object(case.kernel, target, Path(f"{own}.o"))
        Path(f"{own}.so").write_bytes(link([Path(f"{own}.o").read_bytes()]))
        arguments = {f"argument{n}": each.ravel() for n, each in enumerate(case.arguments)}
        out = case.out.pack(np.asarray(case.expected, np.float32)).ravel()
        np.savez(f"{own}.npz", name=case_name, expected=out, **arguments)


def check(folder: Path) -> int:
    """Run them, and compare all that they write: filled up channels and borders are zeros."""
    from fastdepth_ros.arguments import allocate
    from fastdepth_ros.runtime.engine import tvm_ffi

    ffi, status = tvm_ffi(), SAME
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as case:
            name, expected = str(case["name"]), case["expected"]
            arguments = [case[f"argument{n}"] for n in range(len(case.files) - 2)]
        out = allocate(expected.shape, np.float32)
        out.fill(np.nan)
        tensors = []
        for each in (*arguments, out):
            own = allocate(each.shape, each.dtype.type)
            own[:] = each
            tensors.append(ffi.from_dlpack(own, require_alignment=64))
            answer = own
        ffi.load_module(str(file.with_suffix(".so")))[name](*tensors)
        wrong = int((answer != expected).sum())
        sys.stdout.write(f"{file.stem}: {wrong} of {expected.size} numbers differ from the definition\n")
        status = DIFFERS if wrong else status
    return status


if __name__ == "__main__":
    sys.exit(write(sys.argv[2], Path(sys.argv[3])) or SAME if sys.argv[1] == "write" else check(Path(sys.argv[2])))
