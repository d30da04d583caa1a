"""Machine code that one test has had compiled serves all others: kernels by TensorIR, CUDA C by text.

Networks of the tests differ in weights, precision and size, and most of their kernels are the same. So are those of the
anchors, which take longer to compile than all others of a small network. Programs are put together each time anew.
What begins as users begin it, as another Python, compiles all of its own.

It is kept between runs, in build/tests: who changed the node has nothing compiled anew, who changed a kernel that one.
What the tests' compilers are is part of the name under which their work is kept.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = "FASTDEPTH_KEPT_CODE"
"""Variable with the folder; where it is not set, all is compiled."""

DAYS = 14
"""After so many without a run that used it, what is kept goes."""

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
    found = _whole(file)
    if found is None:
        found = make()
        # Whole or not at all: another process may look for it now.
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as draft:
            draft.write(hashlib.sha256(found).digest() + found)
        os.replace(draft.name, file)
    return found


def _whole(file: Path) -> bytes | None:
    """What is in a file, unless it is damaged, as by a machine that went off; its day is today from now on."""
    try:
        content = file.read_bytes()
        os.utime(file)
    except FileNotFoundError:
        return None
    digest, found = content[:32], content[32:]
    return found if hashlib.sha256(found).digest() == digest else None


def forget(folder: Path) -> None:
    """Remove what no run has used for some time."""
    for file in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # another run has removed it
            if file.stat().st_mtime < time.time() - DAYS * 86400:
                shutil.rmtree(file) if file.is_dir() else file.unlink()


@functools.cache
def _source(name: str) -> str:
    """Digest of the module that compiles."""
    return hashlib.sha256(Path(str(sys.modules[name].__file__)).read_bytes()).hexdigest()


class _Objects:
    """Stands for ``codegen.write_object``."""

    def __init__(self, codegen: Any) -> None:
        self._write = codegen.write_object

    def __call__(self, kernel: Any, target: Any, file: Path) -> None:
        import tvm
        from tvm_ffi import structural_hash

        def make() -> bytes:
            self._write(kernel, target, file)
            return file.read_bytes()

        which = f"{kernel.attrs['global_symbol']} {structural_hash(kernel)}"
        file.write_bytes(kept((which, str(target.llvm()), _source(CODEGEN), tvm.__version__), make))


def _programs(nvrtc: Any) -> Callable[..., Any]:
    """Stand-in for ``Nvrtc.compile``."""
    compiled = nvrtc.Nvrtc.compile

    def compile_or_take(compiler: Any, source: str, arch: str, *options: str) -> Any:
        def make() -> bytes:
            found = compiled(compiler, source, arch, *options)
            return json.dumps([found.cubin.hex(), found.ptx]).encode()

        cubin, ptx = json.loads(kept((source, arch, *options, _source(NVRTC), compiler.version), make))
        return nvrtc.Compiled(bytes.fromhex(cubin), ptx)

    return compile_or_take


attach()
