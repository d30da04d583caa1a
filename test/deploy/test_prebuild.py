"""The tool that puts modules into a bundle: again and again, and after new weights."""

import os
import runpy
import shutil
import stat

import pytest
from made_weights import CHECKOUT, random_weights
from small_network import SMALL

from fastdepth_ros.runtime import cache, processor
from fastdepth_ros.runtime.bundle import Bundle, Manifest, write_bundle
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine

TOOL = runpy.run_path(str(CHECKOUT / "tools" / "prebuild.py"))
TARGET = "x86-64-v3" if "avx2" in processor.features() else "aarch64"
OTHER = "cortex-a57"
"""One that other tests compile for, too."""


@pytest.fixture(scope="module", autouse=True)
def once(tmp_path_factory):
    """Have what the tool compiles again of the same bundle taken from where it was compiled before."""
    inside, folder = TOOL["main"].__globals__, tmp_path_factory.mktemp("modules")
    compile_model = inside["compile_model"]

    def compiled(bundle, target, out, *, precision="float32"):
        kept = folder / f"{bundle.weights_sha256}-{target}-{precision}"
        if not kept.exists():
            compile_model(bundle, target, kept, precision=precision)
        return shutil.copytree(kept, out)

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(inside, "compile_model", compiled)
        yield


@pytest.fixture
def folder(tmp_path):
    weights = random_weights(SMALL, seed=1)
    return write_bundle(tmp_path / "models" / "small", Manifest("small", SMALL, 32, 32), weights, "# Random\n").path


def prebuild(folder, monkeypatch, *modules):
    monkeypatch.setattr("sys.argv", ["prebuild.py", str(folder), *(modules or (TARGET, OTHER))])
    TOOL["main"]()
    assert [path.name for path in folder.parent.iterdir()] == ["small"], "nothing is left beside the bundle"
    return Bundle.open(folder)


def test_modules_are_put_in_tried_and_sealed_and_new_weights_get_new_ones(folder, monkeypatch, capsys):
    bundle = prebuild(folder, monkeypatch)
    said = capsys.readouterr().out
    assert f"{TARGET}: " in said
    assert "m of the module for this machine" in said
    assert f"{OTHER}: " in said
    names = set(bundle.manifest.files or {})
    assert {f"modules/{target}/{file}" for target in (TARGET, OTHER) for file in ("module.so", "module.json")} < names
    for name in names:
        assert stat.S_IMODE(os.stat(folder / name).st_mode) == 0o644, name
    write_bundle(folder, bundle.manifest, random_weights(SMALL, seed=3))
    again = prebuild(folder, monkeypatch, TARGET)
    assert again.weights_sha256 != bundle.weights_sha256
    assert open_engine(module_for(again, TARGET)).module.folder == folder / "modules" / TARGET


def test_a_copy_gets_the_modules_and_the_bundle_stays_as_it_is(folder, monkeypatch, tmp_path):
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    monkeypatch.setattr("sys.argv", ["prebuild.py", "--out", str(tmp_path / "copy"), str(folder), TARGET])
    TOOL["main"]()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    made = Bundle.open(tmp_path / "copy" / "small")
    assert made.names(f"modules/{TARGET}/module.so")
    assert made.weights_sha256 == Bundle.open(folder).weights_sha256


def test_every_bundle_that_ships_gets_them_where_none_is_named(folder, monkeypatch, tmp_path):
    other = write_bundle(
        tmp_path / "models" / "other", Manifest("other", SMALL, 32, 64), random_weights(SMALL, seed=3), "# Random\n"
    ).path
    monkeypatch.setitem(TOOL["main"].__globals__, "list_bundles", lambda: [folder, other])
    for name, value in (("DEFAULT", "small"), ("SHIPPED", (OTHER, TARGET)), ("BESIDE", (OTHER,))):
        monkeypatch.setitem(TOOL["main"].__globals__, name, value)
    monkeypatch.setattr("sys.argv", ["prebuild.py", "--out", str(tmp_path / "copies")])
    TOOL["main"]()
    for bundle in (folder, other):
        made = Bundle.open(tmp_path / "copies" / bundle.name)
        assert made.names(f"modules/{OTHER}/module.so"), bundle.name
        assert made.names(f"modules/{TARGET}/module.so") is (bundle is folder), (
            "of others fewer, so that a wheel is small"
        )
        assert made.weights_sha256 == Bundle.open(bundle).weights_sha256


def test_what_ships_for_x86_ships_in_both_precisions():
    x86 = [name for name in TOOL["SHIPPED"] if name.startswith("x86") and not name.endswith("-int8")]
    assert {f"{name}-int8" for name in x86} <= set(TOOL["SHIPPED"])


@pytest.mark.again
@pytest.mark.skipif("avx2" not in processor.features(), reason="this processor lacks AVX2")
def test_a_module_in_int8_ships_beside_that_in_float32(folder, monkeypatch, capsys):
    both = ("x86-64-v3", "x86-64-v3-int8")
    bundle = prebuild(folder, monkeypatch, *both)
    assert "x86-64-v3-int8: " in capsys.readouterr().out
    for name, precision in zip(both, ("float32", "int8"), strict=True):
        module = module_for(bundle, "x86-64-v3", precision)
        assert module.folder == folder / "modules" / name
        assert module.description.precision == precision
    monkeypatch.setattr(cache, "has_compiler", lambda: False)
    assert module_for(bundle, precision="int8").folder == folder / "modules" / "x86-64-v3-int8"
