"""Machine code that one test has had compiled serves the others of its run: kernels by TensorIR, CUDA C by text.

Networks of the tests differ in weights, precision and size, and most of their kernels are the same. So are those of the
anchors, which take longer to compile than all others of a small network. Programs are put together each time anew.
What begins as users begin it, as another Python, compiles all of its own.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = "FASTDEPTH_KEPT_CODE"
"""Variable with the folder of this run; where it is not set, all is compiled."""

CODEGEN, NVRTC = "fastdepth_ros.compiler.codegen", "fastdepth_ros.compiler.cuda.nvrtc"


def attach() -> None:
    """Have the compilers that are loaded in this process take what is kept."""
    codegen: Any = sys.modules.get(CODEGEN)
    if codegen and not isinstance(codegen.write_object, _Objects):
        codegen.write_object = _Objects(codegen)
    nvrtc: Any = sys.modules.get(NVRTC)
    if nvrtc and nvrtc.Nvrtc.compile.__module__ == NVRTC:
        nvrtc.Nvrtc.compile = _programs(nvrtc)


def kept(words: tuple[str, ...], make: Callable[[], bytes]) -> bytes:
    """What was made of these words before, or is made now."""
    folder = os.environ.get(FOLDER)
    if not folder:
        return make()
    file = Path(folder, hashlib.sha256("\0".join(words).encode()).hexdigest())
    try:
        return file.read_bytes()
    except FileNotFoundError:
        made = make()
        # Whole or not at all: another process may look for it now.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as draft:
            draft.write(made)
        os.replace(draft.name, file)
        return made


class _Objects:
    """Stands for ``codegen.write_object``."""

    def __init__(self, codegen: Any) -> None:
        self._write, self._settings = codegen.write_object, repr(codegen.SETTINGS)

    def __call__(self, kernel: Any, target: Any, file: Path) -> None:
        import tvm
        from tvm_ffi import structural_hash

        def make() -> bytes:
            self._write(kernel, target, file)
            return file.read_bytes()

        which = f"{kernel.attrs['global_symbol']} {structural_hash(kernel)}"
        file.write_bytes(kept((which, str(target.llvm()), self._settings, tvm.__version__), make))


def _programs(nvrtc: Any) -> Callable[..., Any]:
    """Stand-in for ``Nvrtc.compile``."""
    compiled = nvrtc.Nvrtc.compile

    def compile_or_take(compiler: Any, source: str, arch: str, *options: str) -> Any:
        def make() -> bytes:
            found = compiled(compiler, source, arch, *options)
            return json.dumps([found.cubin.hex(), found.ptx]).encode()

        cubin, ptx = json.loads(kept((source, arch, *options, compiler.version), make))
        return nvrtc.Compiled(bytes.fromhex(cubin), ptx)

    return compile_or_take


attach()
