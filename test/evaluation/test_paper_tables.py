"""Tables of the paper: their networks, what is counted, and that nothing is measured twice."""

import json
from dataclasses import replace

import pytest
from made_weights import CHECKOUT

from fastdepth_ros.cli import main
from fastdepth_ros.evaluation.benchmark.network_rounds import Job
from fastdepth_ros.evaluation.tables import accuracy, figure, power, report
from fastdepth_ros.evaluation.tables.budget import Budget
from fastdepth_ros.evaluation.tables.ledger import FILE, Ledger
from fastdepth_ros.evaluation.tables.measure import Setting, measured
from fastdepth_ros.evaluation.tables.rows import TABLES, PaperTable, Row
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.count import count, total
from fastdepth_ros.network.entries import names
from fastdepth_ros.network.kinds import Full
from fastdepth_ros.runtime.engine import max_threads

TORCH = CHECKOUT / ".venv-train" / "bin" / "python"
ROWS = {row.network: row for table in TABLES for row in table.rows}
THREADS = tuple(range(1, min(2, max_threads()) + 1))
"""Numbers of threads to measure with: two where there are two cores."""


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_counts_what_the_paper_prints(row):
    job = row.job()
    found = total(count(job.graph, job.height, job.width))
    for printed, counted in ((row.weights, found.weights / 1e6), (row.macs, found.macs / 1e9)):
        digits = len(printed.partition(".")[2])
        if printed not in ("12.9", ""):  # 12.847: docs/networks.md
            assert f"{counted:.{digits}f}" == printed


def test_every_line_has_a_network_that_can_learn_and_all_that_its_table_prints():
    for table in TABLES:
        assert all(row.learns in names() and len(row.printed) == len(table.columns) for row in table.rows)


class Small(Row):
    """A line whose network is compiled in a second."""

    def job(self):
        to = GraphBuilder(self.network)
        to.add("only", Full(3, 2, "relu", "bias", 5))
        return Job(self.network, to.graph(), 32, 48)


def findings(folder, tables, reports, learned, **more):
    rest = {"power": None, "target": "host", "date": "1 January 2026", "about": "two rounds", "ledger": Ledger(folder)}
    return report.Findings(tables, reports, learned=learned, **{**rest, **more})


def test_a_table_that_was_measured_is_read_again(tmp_path):
    table = PaperTable("7", "Small", (Small("before", "one", "1", "1"), Small("after", "two", "1", "1")))
    setting, ledger = Setting("host", Budget(2, 0.01), THREADS), Ledger(tmp_path)
    said = []
    first = measured(table, tmp_path, setting, ledger, said.append)
    assert any(words.startswith("Table 7: round 2 of 2: two") for words in said)
    assert [row["network"] for row in first] == ["one", "two"]
    said.clear()
    again = Ledger(tmp_path)
    assert measured(table, tmp_path, setting, again, said.append) == first
    assert not said
    assert again.total("table ") == ledger.total() != Ledger(tmp_path).total(), "it costs what it took before"
    alone = table.of(["two"])
    assert [row["network"] for row in measured(alone, tmp_path, setting, ledger, said.append)] == ["two"]
    assert said, "a line alone is another measurement"
    said.clear()
    assert measured(table, tmp_path, setting, ledger, said.append) == first
    assert not said, "which takes the place of no other"

    report.write(tmp_path, findings(tmp_path, [table], {"7": first}, {}, ledger=ledger))
    text = (tmp_path / report.MARKDOWN).read_text(encoding="utf-8")
    assert "## Table 7: Small" in text
    assert "| before | 48x32 | 0.000 (1) |" in text
    assert "minutes of processor time" in text
    assert "Accuracy is left out" in text
    assert "delta1" not in text
    assert json.loads((tmp_path / report.JSON).read_text(encoding="utf-8"))["tables"]["7"] == first
    figure.draw(tmp_path / report.FIGURE, {"7": first})
    assert (tmp_path / report.FIGURE).read_bytes().startswith(b"\x89PNG")
    assert not figure.draw_accuracy(tmp_path / report.ACCURACY, {"7": first}, {})


def timed(network, milliseconds):
    """A report as ``network_report`` makes it."""
    times = {"runtime": "fastdepth", "version": "0", "threads": 1, "processor_ms": milliseconds, "min_ms": milliseconds}
    counts = {"weights": 376544, "macs": 26700000, "macs_without_zeros": 26700000, "maps_mb": 1.0}
    about = {"target": "host", "processor": "a processor", "cores": 2, "input_px": [160, 128]}
    return {"network": network, **counts, **about, "runtimes": [times]}


def test_what_was_learned_stands_beside_the_times_and_the_challenge_s_score_is_made_of_both(tmp_path):
    (table,) = (each for each in TABLES if each.number == "challenge")
    rows = [timed(row.network, 2.0) for row in table.rows]
    about = {"images": 480.0, "size": 64.0, "learned": 192, "held_out": 48}
    lite = {**about, "delta1": 0.25, "rmse_m": 1.5, "si_rmse": 0.4, "abs_rel": 0.5}
    learned = {"litedepth": lite, "mobilenetv3-unet": {**lite, "delta1": None, "rmse_m": None, "si_rmse": None}}
    report.write(tmp_path, findings(tmp_path, [table], {"challenge": rows}, learned))
    text = (tmp_path / report.MARKDOWN).read_text(encoding="utf-8")
    # 640000 * 2^(-20 * 0.4) / 2 = 1250
    assert (
        "| LiteDepth 2022 | 160x128 | 0.377 | 0.027 | 2.00 | 1.0 | 0.250 | 1.500 | 0.400 | 1250.0 | 0.311 | 3.79 | 37 |"
        in text
    )
    unlearned = next(line for line in text.splitlines() if line.startswith("| SMART"))
    assert unlearned.split(" | ")[6:10] == ["-"] * 4
    gone = next(line for line in text.splitlines() if line.startswith("| GY-Lab")).split(" | ")[6:10]
    assert gone == ["diverged"] * 3 + ["-"], "which is something else than not trained"
    assert "480 views of 64x64 of 192 computed rooms" in text
    assert figure.draw_accuracy(tmp_path / report.ACCURACY, {"challenge": rows}, learned)
    assert (tmp_path / report.ACCURACY).read_bytes().startswith(b"\x89PNG")


def silent(_words):
    pass


def test_what_was_stopped_and_taken_up_again_costs_the_sum_of_both(tmp_path):
    ledger = Ledger(tmp_path)
    with pytest.raises(KeyboardInterrupt), ledger.noting("training a"):
        raise KeyboardInterrupt
    first = ledger.total()
    assert first.seconds > 0
    again = Ledger(tmp_path)
    assert again.total().seconds == 0, "nothing was used yet"
    with again.noting("training a"):
        pass
    assert again.total().seconds > first.seconds
    with again.noting("table b"):
        pass
    assert again.total("training ").seconds < again.total().seconds
    (tmp_path / FILE).write_text("{", encoding="utf-8")
    assert Ledger(tmp_path).total().seconds == 0


METERED = {"platform": "a board", "profile": "max-n", "threads": 2, "runtime_ms": 5.0, "rate": 200.0}


@pytest.mark.parametrize(
    ("watts", "shown", "said"),
    [
        ({"watts": 7.5, "idle_watts": 2.5, "frame_mj": 37.0}, "| 7.5 (2.5) | 37 |", False),
        ({"watts": None, "idle_watts": None, "frame_mj": None}, "| no meter | no meter |", True),
    ],
)
def test_table_2_has_watts_where_the_machine_tells_them_and_says_so_where_it_does_not(tmp_path, watts, shown, said):
    report.write(tmp_path, findings(tmp_path, [], {}, {}, power=[{**METERED, **watts}]))
    text = (tmp_path / report.MARKDOWN).read_text(encoding="utf-8")
    assert "## Table 2: Run time, power and energy" in text
    assert f"| a board | max-n | 2 | 5.0 | 200 {shown}" in text
    assert "| Jetson TX2 GPU (paper) | max-n |  | 5.6 | 178 | 12.2 (3.4) | 68 |" in text
    assert ("Nothing tells this machine's power" in text) == said
    assert json.loads((tmp_path / report.JSON).read_text(encoding="utf-8"))["power"][0]["watts"] == watts["watts"]


@pytest.mark.slow
def test_table_2_is_what_bench_power_measures_and_it_is_measured_once(tmp_path):
    budget, said, ledger = Budget(1, 0.1), [], Ledger(tmp_path)
    rows = power.measured(tmp_path, "host", budget, ledger, said.append)
    assert [row["profile"] for row in rows] == ["max-n", "max-q"]
    assert all(row["runtime_ms"] > 0 for row in rows)
    said.clear()
    assert power.measured(tmp_path, "host", budget, ledger, said.append) == rows
    assert not said


def test_tables_stand_in_the_order_of_their_numbers_and_words_behind_them():
    assert sorted(["heads", "7", "2", "challenge", "1"], key=report.order) == ["1", "2", "7", "challenge", "heads"]


@pytest.mark.parametrize("number", ["6"])
def test_torch_stands_beside_what_the_paper_compares_compilers_with(number):
    (table,) = (each for each in TABLES if each.number == number)
    assert table.peers == ("torch",)


def test_without_torch_only_what_was_trained_before_is_shown(tmp_path):
    assert accuracy.learned(["litedepth"], tmp_path, None, Budget(1, 0.1, 12, 16), Ledger(tmp_path), silent) == {}
    assert not (tmp_path / "training").exists()


@pytest.mark.skipif(not TORCH.exists(), reason=f"no torch: {TORCH} is missing (make train-env)")
def test_a_network_is_trained_once(tmp_path):
    budget, said, ledger = Budget(1, 0.1, pictures=12, images=16, side=64), [], Ledger(tmp_path)
    found = accuracy.learned(["litedepth", "litedepth"], tmp_path, TORCH, budget, ledger, said.append)
    assert set(found) == {"litedepth"}
    assert found["litedepth"]["finished"]
    assert (found["litedepth"]["images"], found["litedepth"]["held_out"]) == (16, 2)
    assert sum(words.startswith("Training") for words in said) == 1
    said.clear()
    assert ledger.total("rooms ").seconds > 0 < ledger.total("training ").processor_seconds
    assert accuracy.learned(["litedepth"], tmp_path, None, budget, ledger, said.append) == found
    assert not said
    longer = replace(budget, images=24)
    assert accuracy.learned(["litedepth"], tmp_path, None, longer, ledger, silent) == {}, "another budget is another"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["tables", "--tables", "8"], "there is no table 8"),
        (["tables", "--tables", "x"], "there is no table x"),
        (["tables", "--tables", "7", "--networks", "litedepth"], "litedepth is in none of these tables"),
        (["tables", "--against", "ncnn"], "ncnn reads no graph"),
        (["bench", "--network", "resnet-19-upconv"], "is no network. Near it are"),
        (["bench", "--network", "litedepth", "--against", "litert"], "litert reads no graph"),
        (["compile", "--network", "litedepth", "--width", "100"], "The nearest that it can take is 96x128"),
        (
            ["compile", "--network", "litedepth", "--precision", "int8", "--target", "x86-64-v4"],
            "x86-64-v4 lacks AVX-512 VNNI, which int8 needs",
        ),
        (["compile", "--network", "litedepth", "--weights", "none.npz"], "none.npz cannot be read"),
    ],
)
def test_what_cannot_be_measured_or_compiled_is_told_in_one_line(line, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(line) == 2
    words = capsys.readouterr().err
    assert said in words
    assert len(words.strip().splitlines()) == 1
