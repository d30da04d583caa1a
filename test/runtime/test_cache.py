"""Sources of compiled modules: the bundle, the cache, or the compiler, and never twice at once."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from slowly import mostly_again
from small_network import put_into_cache, small_bundle

from fastdepth_ros.compiler.export import compile_bundle
from fastdepth_ros.errors import ModuleError, SettingError
from fastdepth_ros.runtime import cache, processor
from fastdepth_ros.runtime.bundle import seal
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import LIBRARY, CompiledModule, Description, Size
from fastdepth_ros.runtime.precision import int8_here

ASK = """
import os, sys
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import module_for
module = module_for(Bundle.open(sys.argv[1]))
print(os.stat(module.library).st_ino, module.folder, "tvm" in sys.modules)
"""


@pytest.fixture
def small(tmp_path, monkeypatch):
    """A bundle that is compiled in a moment, and an empty cache."""
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    return small_bundle(tmp_path)


@pytest.fixture
def kept(small, small_module):
    """The bundle's module in that cache."""
    return put_into_cache(small, small_module)


def test_two_processes_that_ask_at_once_get_one_compilation(small):
    command = [sys.executable, "-c", ASK, str(small.path)]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [process.communicate(timeout=120)[0].split() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    # A second compilation would have put another file in the first one's place.
    assert answers[0] == answers[1]
    assert answers[0][2] == "False", "the compiler was loaded into the caller's process"


def test_a_cached_module_is_not_compiled_again(small, kept):
    before = os.stat(kept / LIBRARY)
    for _ in range(2):
        assert cache.module_for(small).folder == kept
    after = os.stat(kept / LIBRARY)
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_an_altered_module_in_the_cache_is_compiled_again(small):
    library = cache.module_for(small).library
    good = library.read_bytes()
    library.write_bytes(good[:-1])
    assert cache.module_for(small).library.read_bytes() == good, "two compilations of one bundle differ"


@pytest.fixture
def shipped(small, module):
    """A module that ships with the small bundle, as if compiled of it."""
    folder = shutil.copytree(module.folder, small.path / "modules" / "host")
    replace(module.description, weights_sha256=small.weights_sha256, input=Size(32, 32)).write(folder)
    return seal(small.path, small.manifest)


def test_a_module_that_ships_with_the_bundle_is_used(shipped):
    assert cache.module_for(shipped).folder == shipped.path / "modules" / "host"


def test_an_altered_module_that_ships_with_the_bundle_is_refused(shipped):
    (shipped.path / "modules" / "host" / LIBRARY).write_bytes(b"")
    with pytest.raises(ModuleError, match="was altered"):
        cache.module_for(shipped)


def test_a_shipped_module_of_older_weights_is_refused(shipped, module):
    module.description.write(shipped.path / "modules" / "host")
    sealed = seal(shipped.path, shipped.manifest)
    with pytest.raises(ModuleError, match=r"compiled of other weights.*fastdepth compile .* --out"):
        cache.module_for(sealed)
    assert cache.prebuilt_for_here(sealed) is None


@pytest.mark.usefixtures("afresh")
def test_a_failed_compilation_names_the_command_to_try(small):
    with pytest.raises(ModuleError, match=r"for z80 failed with status 2.*fastdepth compile .* --target z80"):
        cache.module_for(small, "z80")


def test_the_cache_is_where_the_environment_says(monkeypatch, tmp_path):
    monkeypatch.delenv("FASTDEPTH_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_dir() == tmp_path / "fastdepth_ros"
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "own"))
    assert cache.cache_dir() == tmp_path / "own"


def test_a_module_is_kept_apart_by_whatever_it_depends_on(small, monkeypatch):
    folders = {cache.module_folder(small, "host"), cache.module_folder(small, "x86-64-v3")}
    for name in ("kernels_version", "tvm_version"):
        with monkeypatch.context() as patch:
            patch.setattr(cache, name, lambda *_: "another")
            folders.add(cache.module_folder(small, "host"))
    with monkeypatch.context() as patch:
        patch.setattr(cache.processor, "name", lambda: "another")
        folders.add(cache.module_folder(small, "host"))
    assert len(folders) == 5


def test_without_a_compiler_the_best_shipped_module_is_used(bundle, module, tmp_path, monkeypatch):
    """Shipped are one that may not run here, one that may, and one that uses more of this processor."""
    copy = shutil.copytree(bundle.path, tmp_path / "copy")
    about = module.description
    for name, needs in (("alien", ("quantum",)), ("plain", ()), ("good", about.needs)):
        folder = shutil.copytree(module.folder, copy / "modules" / name)
        replace(about, needs=needs).write(folder)
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(cache, "has_compiler", lambda: False)
    assert module_for(seal(copy, bundle.manifest)).folder == copy / "modules" / "good"


AVX2_ALONE = "avx2" not in processor.features() or "avx512f" in processor.features()


@pytest.fixture
def both(small, small_modules):
    """A bundle with modules for any processor that has AVX2, in both precisions."""
    for precision, name in (("float32", "x86-64-v3"), ("int8", "x86-64-v3-int8")):
        shutil.copytree(small_modules("x86-64-v3", precision), small.path / "modules" / name)
    return seal(small.path, small.manifest)


@pytest.mark.skipif(AVX2_ALONE, reason="this processor's widest vectors are not AVX2's")
@pytest.mark.parametrize("precision", mostly_again(["float32", "int8"]))
def test_what_ships_is_not_compiled_anew_where_it_is_as_good(both, small_modules, precision):
    if precision == "int8" and int8_here().name != "AVX2":
        pytest.skip("this processor has faster products of bytes than the module")
    found = module_for(both, precision=precision)
    assert found.description.target == "x86-64-v3"
    assert found.folder.parent == both.path / "modules"
    assert not list(cache.cache_dir().glob("modules/*")), "something was compiled"
    own = CompiledModule.open(small_modules("host", precision))
    answers = []
    for module in (found, own):
        engine = open_engine(module, 1)
        engine.input[:] = np.arange(engine.input.size, dtype=np.uint8).reshape(engine.input.shape)
        answers.append(engine.run().copy())
    np.testing.assert_array_equal(*answers)


@pytest.mark.skipif(AVX2_ALONE, reason="this processor's widest vectors are not AVX2's")
def test_what_ships_of_other_kernels_or_narrower_vectors_is_compiled_anew(both, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(cache, "kernels_version", lambda *_: "another")
        assert cache.find_module(both) is None
    wide = processor.VECTORS[1]._replace(lanes=16)
    monkeypatch.setattr(processor, "vectors", lambda _found: wide)
    assert cache.find_module(both) is None
    monkeypatch.setattr(cache, "has_compiler", lambda: False)
    assert cache.find_module(both).description.target == "x86-64-v3", "a robot without a compiler takes what there is"


@pytest.mark.skipif(AVX2_ALONE, reason="this processor's widest vectors are not AVX2's")
def test_what_ships_in_int8_is_compiled_anew_where_bytes_are_multiplied_faster(both, monkeypatch):
    faster = next(each for each in processor.BYTE_PRODUCTS if each.name == "AVX-VNNI")
    monkeypatch.setattr(processor, "int8_here", lambda: faster)
    assert cache.find_module(both, precision="int8") is None
    assert cache.find_module(both) is not None


@pytest.mark.again
def test_a_module_for_avx_512_in_int8_says_that_it_needs_vnni(small_modules):
    about = Description.read(small_modules("x86-64-v4", "int8") / "module.json")
    assert (about.target, about.precision, about.vector_width) == ("x86-64-v4", "int8", 16)
    assert {"avx512f", "avx512_vnni"} <= set(about.needs)


@pytest.mark.usefixtures("kept")
def test_a_module_in_int8_is_another_than_that_in_float32(small):
    if int8_here() is None:
        pytest.skip("this processor has no kernels for int8")
    both = {precision: module_for(small, precision=precision) for precision in ("float32", "int8")}
    assert both["int8"].folder != both["float32"].folder
    assert {name: module.description.precision for name, module in both.items()} == {
        "float32": "float32",
        "int8": "int8",
    }
    assert int8_here().needs <= set(both["int8"].description.needs)
    assert module_for(small, precision="int8").folder == both["int8"].folder


@pytest.mark.again
def test_int8_for_a_processor_that_is_not_here_says_what_it_needs(small_modules):
    """The smallest maps of this network are a single word."""
    said = json.loads((small_modules("cortex-a76", "int8") / "module.json").read_text())
    assert said["precision"] == "int8"
    assert "asimddp" in said["needs"]


def test_an_unknown_precision_names_the_known_ones(small):
    with pytest.raises(SettingError, match=r"no precision 'int3'. Choose one of float32, float16, int8"):
        compile_bundle(small, "host", small.path / "out", precision="int3")
