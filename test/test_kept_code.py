"""What is kept of compiled code is that of the very kernel, for the very target."""

import os
import time

import kept_code
import pytest

from fastdepth_ros.compiler import codegen, ir
from fastdepth_ros.compiler.cuda import nvrtc as nvrtc_room
from fastdepth_ros.compiler.targets import find_target
from fastdepth_ros.errors import ModuleError


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    (tmp_path / "code").mkdir()
    monkeypatch.setenv(kept_code.FOLDER, str(tmp_path / "code"))
    return tmp_path / "code"


def kernel(symbol="twice", factor=2.0):
    def body(source, out):
        with ir.serial(4) as i:
            ir.put(out, source[i] * ir.tirx.const(factor, "float32"), i)

    return ir.kernel(symbol, [(argument, (4,), "float32") for argument in ("source", "out")], body)


def written(folder, target="x86-64-v3", **changes):
    codegen.write_object(kernel(**changes), find_target(target), folder / "it.o")
    return (folder / "it.o").read_bytes()


def test_a_kernel_is_compiled_once_for_each_target(tmp_path, own_folder, monkeypatch):
    first = written(tmp_path)
    others = {written(tmp_path, "cortex-a57"), written(tmp_path, factor=3.0), written(tmp_path, symbol="thrice")}
    assert len({first, *others}) == len(list(own_folder.iterdir())) == 4
    monkeypatch.setattr(codegen, "compile_kernel", None)
    assert written(tmp_path) == first
    monkeypatch.delenv(kept_code.FOLDER)
    with pytest.raises(TypeError):
        written(tmp_path)


def test_what_is_kept_is_what_the_compiler_makes(tmp_path, monkeypatch):
    written(tmp_path)
    kept = written(tmp_path)
    monkeypatch.delenv(kept_code.FOLDER)
    assert written(tmp_path) == kept


def test_what_is_damaged_is_made_anew(tmp_path, own_folder):
    first = written(tmp_path)
    (file,) = own_folder.iterdir()
    for damaged in (b"", file.read_bytes()[:-1]):
        file.write_bytes(damaged)
        assert written(tmp_path) == first


def test_what_no_run_uses_goes(tmp_path, own_folder):
    written(tmp_path)
    (used,) = own_folder.iterdir()
    (own_folder / "other").touch()
    for file in own_folder.iterdir():
        os.utime(file, (0, time.time() - (kept_code.DAYS + 1) * 86400))
    written(tmp_path)
    kept_code.forget(own_folder)
    assert list(own_folder.iterdir()) == [used]


def test_a_kernel_that_cannot_be_compiled_is_not_kept(tmp_path, own_folder, monkeypatch):
    monkeypatch.setattr(codegen, "compile_kernel", None)
    with pytest.raises(TypeError):
        written(tmp_path)
    assert not list(own_folder.iterdir())


def test_cuda_c_is_compiled_once_for_each_gpu(own_folder):
    try:
        compiler = nvrtc_room.nvrtc()
    except ModuleError as error:
        pytest.skip(str(error))
    source = 'extern "C" __global__ void f(float *x) { x[0] = 1; }'
    found = [compiler.compile(source, arch) for arch in ("sm_62", "sm_62", "sm_87")]
    assert found[0] == found[1] != found[2]
    assert len(list(own_folder.iterdir())) == 2
