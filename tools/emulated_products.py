"""Products of bytes and of float16 for another processor against plain numpy; tools/emulate.sh runs it.

`emulated_products.py write TARGET FOLDER` compiles the tests' kernels for a target, and writes what they get and what
they have to give; `emulated_products.py check FOLDER` runs them where that processor is, or is emulated. Exit status 1
if a bit differs. `emulated_products.py depth BUNDLE OUT.npy` writes the depth of run_module.py's picture as plain numpy
computes it with products in float16.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SAME, DIFFERS = 0, 1
TESTS = Path(__file__).parents[1] / "test" / "compiler"


def write(name: str, folder: Path) -> None:
    """Compile the kernels, each a library of its own."""
    sys.path.insert(0, str(TESTS))
    import float16_cases
    import int8_cases

    from fastdepth_ros.compiler.codegen import write_object
    from fastdepth_ros.compiler.half_products import NEEDS
    from fastdepth_ros.compiler.linker.library import link
    from fastdepth_ros.compiler.targets import find_target
    from fastdepth_ros.runtime.processor import byte_products

    target = find_target(name, "int8")
    products = byte_products(target.needs, target.lanes)
    if products is None:
        raise SystemExit(f"{name} has no products of bytes")
    cases = {f"{products.name}-{case_name}": case for case_name, case in int8_cases.exact(products).items()}
    if target.needs >= NEEDS:
        cases |= {f"float16-{case_name}": case for case_name, case in float16_cases.cases(target.lanes).items()}
    folder.mkdir(parents=True)
    for case_name, case in cases.items():
        own = folder / case_name
        write_object(case.kernel, target, Path(f"{own}.o"))
        Path(f"{own}.so").write_bytes(link([Path(f"{own}.o").read_bytes()]))
        arguments = {f"argument{n}": each.ravel() for n, each in enumerate(case.arguments)}
        out = case.out.pack(np.asarray(case.expected, np.float32)).ravel()
        np.savez(f"{own}.npz", name=case_name.rpartition("-")[2], expected=out, **arguments)


def check(folder: Path) -> int:
    """Run them, and compare all that they write: filled up channels and borders are zeros."""
    from fastdepth_ros.arguments import allocate
    from fastdepth_ros.runtime.engine import tvm_ffi

    ffi, status = tvm_ffi(), SAME
    for file in sorted(folder.glob("*.npz")):
        with np.load(file) as case:
            name, expected = str(case["name"]), case["expected"]
            arguments = [case[f"argument{n}"] for n in range(len(case.files) - 2)]
        out = allocate(expected.shape, expected.dtype.type)
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


def depth(bundle: str, out: Path) -> None:
    """The whole network in plain numpy, its products in float16."""
    sys.path.insert(0, str(TESTS))
    import float16
    from run_module import picture

    from fastdepth_ros.models import find_bundle

    found = find_bundle(bundle)
    about = found.manifest
    answer = float16.depth(about.network, found.weights(), picture(about.input_height, about.input_width))
    np.save(out, answer.astype(np.float32))


if __name__ == "__main__":
    what, *named = sys.argv[1:]
    if what == "check":
        sys.exit(check(Path(named[0])))
    {"write": write, "depth": depth}[what](named[0], Path(named[1]))
