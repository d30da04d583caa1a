"""Tuning measures real kernels; what it finds is used by the next compilation."""

import itertools
import json
from dataclasses import asdict
from types import SimpleNamespace

import pytest
from made_weights import random_weights
from small_network import SMALL

from fastdepth_ros.cli import main
from fastdepth_ros.compiler import export, tiling, tune
from fastdepth_ros.compiler.plan import Planner
from fastdepth_ros.compiler.pointwise import find_precision
from fastdepth_ros.compiler.targets import TARGETS, find_target
from fastdepth_ros.compiler.tile import Tiling
from fastdepth_ros.errors import SettingError
from fastdepth_ros.network import PRUNED
from fastdepth_ros.runtime import cache
from fastdepth_ros.runtime.bundle import Manifest, write_bundle
from fastdepth_ros.runtime.module import Size


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FASTDEPTH_CACHE", str(tmp_path))


def stages(network, target, height=32, width=64):
    return Planner(network, random_weights(network), target.lanes).plan(height, width)


def test_the_fastest_of_the_candidates_is_found_for_each_stage():
    target, told = find_target("host"), []
    stage = stages(SMALL, target)[0]
    candidates = tune.tiles(stage, target, tiling.rule(stage, target))
    table = tune.tune([stage], target, lambda *step: told.append(step))
    assert len(set(candidates)) == len(candidates) > 1
    assert table[stage.name] in candidates
    assert all(done <= of for _, done, of in told)
    assert told[-1][1] == told[-1][2], "the progress bar ends full"


def test_a_slow_kernel_is_measured_to_be_slow():
    """A convolution with one sum at a time, which waits for itself, against the rule's tile."""
    target = find_target("host")
    network = stages(PRUNED, target, 64, 64)
    block = network[3]
    rule = tiling.rule(block, target)
    slow = Tiling(panel=1, pixels=1, unroll=1, strip=1, rows=rule.rows)
    chosen = tune.fastest(network, target, {block.name: [slow, rule]}, "test", lambda *_: None)
    assert chosen[block.name] == rule


@pytest.mark.parametrize(
    ("name", "precision"),
    [*((name, "float32") for name in TARGETS), *((name, "int8") for name in ("x86-64-v3", "x86-64-v4", "alderlake"))],
)
def test_candidates_fit_the_registers(name, precision):
    target = find_target(name, precision)
    arithmetic = find_precision(precision, target)
    for stage in stages(PRUNED, target, 224, 224):
        candidates = tune.tiles(stage, target, tiling.rule(stage, target, arithmetic), arithmetic)
        assert len(candidates) > 1, stage.name
        for choice in candidates:
            used = choice.panel * (choice.pixels + arithmetic.weights) + arithmetic.operands
            assert used <= tune.REGISTERS[target.family], f"{stage.name}: {choice}"


def test_a_precision_takes_its_own_table_and_float32s_where_it_has_none():
    target = TARGETS["x86-64-v3"]
    own = {"conv1": Tiling(panel=1, pixels=3, unroll=4, strip=3, rows=2)}
    assert tiling.measured(TARGETS["x86-64-v4"], "float16") == tiling.measured(TARGETS["x86-64-v4"])
    assert tiling.measured(TARGETS["x86-64-v4"], "int8") != tiling.measured(TARGETS["x86-64-v4"])
    tiling.write(tiling.own_table(target, "int8"), {}, own)
    assert tiling.measured(target, "int8") == own
    assert tiling.measured(target) != own


def test_products_of_bytes_with_tiles_of_their_own_take_them_and_others_keep_theirs():
    """AVX-VNNI has AVX2's registers, and leaves more of them to sums."""
    vnni, plain = find_target("alderlake", "int8"), find_target("x86-64-v3", "int8")
    own = {"conv1": Tiling(panel=1, pixels=3, unroll=4, strip=3, rows=2)}
    before = tiling.measured(plain, "int8")
    assert tiling.measured(vnni, "int8") != before
    assert tiling.measured(vnni) == tiling.measured(plain)
    tiling.write(tiling.own_table(vnni, "int8"), {}, own)
    assert (tiling.measured(vnni, "int8"), tiling.measured(plain, "int8")) == (own, before)


def test_pictures_of_a_size_take_their_own_table_and_the_usual_ones_where_they_have_none():
    target, size = find_target("host"), Size(64, 32)
    usual = tiling.measured(target, "int8")
    assert tiling.measured(target, "int8", size) == usual
    own = {"conv1": Tiling(panel=1, pixels=3, unroll=4, strip=3, rows=2)}
    tiling.write(tiling.own_table(target, "int8", size), {}, own)
    assert tiling.measured(target, "int8", size) == own
    assert tiling.measured(target, "int8") == tiling.measured(target, "int8", Size(32, 64)) == usual


def test_tuning_for_a_size_leaves_other_sizes_and_compiles_with_what_it_found(tmp_path, monkeypatch):
    table = {"conv1": Tiling(panel=1, pixels=9, unroll=1, strip=3, rows=2)}
    monkeypatch.setattr(tune, "tune", lambda *_: table)
    monkeypatch.setattr(tune, "whole", lambda *_: {"found": 0.9e-3, "used": 1e-3})
    small = write_bundle(tmp_path / "small", Manifest("small", SMALL, 64, 32), random_weights(SMALL))
    before = tiling.measured(find_target("host"))
    assert main(["tune", str(small.path)]) == 0
    assert tiling.measured(find_target("host")) == before != table
    compiled, make = [], export._for_processor
    monkeypatch.setattr(export, "_for_processor", lambda *given: compiled.append(given[4]) or make(*given))
    export.compile_bundle(small, "host", tmp_path / "module", anchors=False)
    assert compiled == [table]


def test_own_choices_come_before_the_shipped_ones_and_make_new_modules(bundle):
    target = find_target("host")
    before, shipped = cache.module_folder(bundle, "host"), tiling.measured(target)
    mine = {"conv1": Tiling(panel=1, pixels=9, unroll=1, strip=3, rows=2)}
    tiling.write(tiling.own_table(target), {"processor": "mine"}, mine)
    assert tiling.measured(target) == mine != shipped
    assert cache.module_folder(bundle, "host") != before


def test_a_broken_table_is_refused():
    target = find_target("host")
    tiling.write(tiling.own_table(target), {}, {})
    tiling.own_table(target).write_text('{"stages": {"conv1": {"panels": 3}}}')
    with pytest.raises(SettingError, match=r"cannot be read.*fastdepth tune"):
        tiling.measured(target)


def test_shipped_tables_are_of_this_network_and_fit_the_registers():
    for file in sorted(tiling.TUNING.glob("*.json")):
        table = json.loads(file.read_text())
        target = next(target for target in TARGETS.values() if target.family == file.stem.partition("-")[0])
        width, height = map(int, table["input"].split("x"))
        assert file.stem.endswith(table["input"]) == ((width, height) != (224, 224))
        planned = {stage.name for stage in stages(PRUNED, target, height, width)}
        assert table["stages"].keys() == planned
        for choice in table["stages"].values():
            assert choice.keys() == asdict(Tiling()).keys()
            assert choice["panel"] * choice["pixels"] < tune.REGISTERS[target.family]


def test_whole_networks_are_compared_by_their_tables(tmp_path, monkeypatch):
    """Each table's own module is run, in turns and on one thread; the clock is the test's, so that nothing is timed."""
    open_engine, clock, runs, modules = tune.open_engine, [0.0], [], {}

    class Engine:
        def __init__(self, module, threads):
            assert threads == 1
            self.name, self.engine = module.folder.name, open_engine(module, threads)
            modules[self.name] = module.description.library_sha256

        def run(self):
            self.engine.run()
            runs.append(self.name)
            clock[0] += {"rule": 0.25, "slow": 4.0}[self.name] * (1 + len(runs) % 2)  # a burst counts by its best

    monkeypatch.setattr(tune, "open_engine", Engine)
    monkeypatch.setattr(tune, "time", SimpleNamespace(perf_counter=lambda: clock[0]))
    monkeypatch.setattr(tune, "WHOLE_ROUNDS", 3)
    small = write_bundle(tmp_path / "small", Manifest("small", SMALL, 64, 32), random_weights(SMALL))
    slow = {s.name: Tiling(panel=1, pixels=1, unroll=1, strip=1, rows=1) for s in stages(SMALL, find_target("host"))}
    assert tune.whole(small, "host", {"rule": {}, "slow": slow}) == {"rule": 0.25, "slow": 4.0}
    assert [name for name, _ in itertools.groupby(runs)] == ["rule", "slow"] * 3
    assert modules["rule"] != modules["slow"]


@pytest.mark.parametrize(("found", "used", "kept"), [(0.9, 1.0, True), (1.0, 1.0, False)])
def test_a_table_that_gains_nothing_is_not_put_in_force(bundle, monkeypatch, capsys, found, used, kept):
    table = {"conv1": Tiling(panel=1, pixels=9, unroll=1, strip=3, rows=2)}
    monkeypatch.setattr(tune, "tune", lambda *_: table)
    monkeypatch.setattr(tune, "whole", lambda *_: {"found": found * 1e-3, "used": used * 1e-3})
    assert main(["tune", str(bundle.path)]) == 0
    target = find_target("host")
    assert tiling.own_table(target).is_file() == kept
    said = capsys.readouterr().out
    assert f"{found:.2f} ms with the choices found now, {used:.2f} ms" in said
    assert ("no clear gain" in said) != kept
