"""The precision that is taken where nobody asks for one, and the table that it goes by."""

import json
import shutil
from dataclasses import replace

import pytest
from small_network import small_bundle

from fastdepth_ros.errors import BundleError
from fastdepth_ros.runtime import precision, processor
from fastdepth_ros.runtime.bundle import MANIFEST, Bundle, seal
from fastdepth_ros.runtime.losses import Loss, Losses
from fastdepth_ros.runtime.precision import choose
from fastdepth_ros.runtime.processor import VECTORS, flags

MACHINES = {name: vectors.needs for name, vectors in zip(("avx512", "avx2", "neon"), VECTORS, strict=True)}


@pytest.fixture
def small(tmp_path):
    return small_bundle(tmp_path)


@pytest.fixture
def on(monkeypatch):
    """Lets the processor be another."""

    def become(machine, more=""):
        monkeypatch.setattr(processor, "features", lambda: MACHINES[machine] | flags(more))
        monkeypatch.setattr(precision, "has_compiler", lambda: True)

    return become


def measured(bundle, *lost, weights=None):
    rows = {f"set {i}": Loss(10 + i, each, 0.01, "AVX2") for i, each in enumerate(lost)}
    return seal(bundle.path, replace(bundle.manifest, losses=Losses(weights or bundle.weights_sha256, {"int8": rows})))


def test_a_table_is_read_as_it_was_written(small):
    again = measured(small, 0.001, -0.002)
    assert Bundle.open(small.path).manifest.losses == again.manifest.losses
    assert again.manifest.losses.worst("int8") == ("set 0", Loss(10, 0.001, 0.01, "AVX2"))
    assert again.manifest.losses.worst("float16") is None


@pytest.mark.parametrize(
    ("machine", "more", "lost", "chosen", "why"),
    [
        (
            "avx512",
            "avx512_vnni",
            (0.001, 0.004),
            "int8",
            "AVX-512 VNNI, and delta1 falls by 0.0040 at most (set 1",
        ),
        ("avx2", "", (-0.001,), "int8", "AVX2, and delta1 falls by -0.0010 at most"),
        ("avx2", "", (0.001, 0.0051), "float32", "int8 loses 0.0051 of delta1 on set 1, more than 0.005"),
        ("avx2", "", (), "float32", "does not say what int8 loses; `fastdepth eval BUNDLE DATA --loss int8`"),
        ("avx2", "avx_vnni", (0.004,), "int8", "AVX-VNNI, and delta1 falls by 0.0040 at most"),
        ("avx512", "", (0.0,), "float32", "multiplies bytes no faster"),
        ("neon", "asimddp", (0.0,), "float32", "int8 with sdot was never timed"),
    ],
)
def test_auto_is_the_fastest_that_is_known_to_lose_next_to_nothing(small, on, machine, more, lost, chosen, why):
    on(machine, more)
    choice = choose(measured(small, *lost) if lost else small)
    assert choice.precision == chosen
    assert why in choice.reason


def test_what_is_asked_for_is_taken_whatever_it_loses(small, on):
    on("avx2")
    assert choose(measured(small, 0.9), wanted="int8") == ("int8", "as it was asked for")
    assert choose(measured(small, 0.0), wanted="float32").precision == "float32"


def test_a_table_of_other_weights_does_not_count(small, on):
    on("avx2")
    choice = choose(measured(small, 0.0, weights="0" * 64))
    assert choice.precision == "float32"
    assert "other weights" in choice.reason


def test_without_a_compiler_int8_has_to_ship_with_the_bundle(small, on, monkeypatch):
    on("avx2")
    monkeypatch.setattr(precision, "has_compiler", lambda: False)
    choice = choose(measured(small, 0.0))
    assert choice.precision == "float32"
    assert "ships no module in int8 for this processor" in choice.reason


def test_for_a_target_by_name_int8_is_taken_where_it_ships_and_runs(small, small_modules, on):
    on("avx2")
    assert choose(measured(small, 0.0), "x86-64-v3") == ("float32", "the bundle ships no module for x86-64-v3 in int8")
    shutil.copytree(small_modules("x86-64-v3", "int8"), small.path / "modules" / "x86-64-v3-int8")
    shipped = measured(seal(small.path, small.manifest), 0.0)
    choice = choose(shipped, "x86-64-v3")
    assert choice.precision == "int8"
    assert "ships it for x86-64-v3" in choice.reason
    on("neon")
    choice = choose(shipped, "x86-64-v3")
    assert choice.precision == "float32"
    assert "in int8 cannot be used: " in choice.reason
    assert "lacks " in choice.reason


def test_a_processor_of_the_kind_that_lacks_the_products_of_bytes_takes_float32(small, small_modules, on):
    shutil.copytree(small_modules("x86-64-v4", "int8"), small.path / "modules" / "x86-64-v4-int8")
    shipped = measured(seal(small.path, small.manifest), 0.0)
    on("avx512", "avx512_vnni")
    assert choose(shipped, "x86-64-v4").precision == "int8"
    on("avx512")
    choice = choose(shipped, "x86-64-v4")
    assert choice.precision == "float32"
    assert "lacks avx512_vnni" in choice.reason


ROW = {"pictures": 1, "delta1": 0, "rmse_m": 0, "computed_with": ""}


@pytest.mark.parametrize(
    "lost",
    [
        [],
        {"int8": {"set": {"pictures": 3}}},
        {"int8": {"set": {**ROW, "pictures": 0}}},
        {"int8": {"set": {**ROW, "delta1": 7}}},
        {"int8": {"set": {**ROW, "rmse_m": "1"}}},
        {"int8": {"set": {**ROW, "computed_with": 3}}},
        {"a/b": {"set": ROW}},
        {"int8": {"\n": ROW}},
        {str(i): {} for i in range(17)},
        {"int8": {str(i): ROW for i in range(101)}},
        "a table",
    ],
)
def test_a_broken_table_is_refused(small, lost):
    file = small.path / MANIFEST
    text = json.loads(file.read_text())
    file.write_text(json.dumps({**text, "precision_losses": {"weights_sha256": "", "lost": lost}}))
    with pytest.raises(BundleError, match=r"manifest\.json cannot be read"):
        Bundle.open(small.path)


def test_a_manifest_of_before_has_no_table(small):
    assert "precision_losses" not in json.loads((small.path / MANIFEST).read_text())
    assert small.manifest.losses is None
