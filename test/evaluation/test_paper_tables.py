"""Tables of the paper: their networks, what is counted, and that nothing is measured twice."""

import json
from dataclasses import replace

import pytest

from fastdepth_ros.cli import main
from fastdepth_ros.evaluation.benchmark.network_rounds import Job
from fastdepth_ros.evaluation.tables import figure, report
from fastdepth_ros.evaluation.tables.measure import Budget, measured
from fastdepth_ros.evaluation.tables.rows import TABLES, PaperTable, Row
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.count import count, total
from fastdepth_ros.network.kinds import Full

ROWS = {row.network: row for table in TABLES for row in table.rows}


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_a_row_counts_what_the_paper_prints(row):
    job = row.job()
    found = total(count(job.graph, job.height, job.width))
    for printed, counted in ((row.weights, found.weights / 1e6), (row.macs, found.macs / 1e9)):
        digits = len(printed.partition(".")[2])
        if printed != "12.9":  # 12.847: docs/networks.md
            assert f"{counted:.{digits}f}" == printed


class Small(Row):
    """A line whose network is compiled in a second."""

    def job(self):
        to = GraphBuilder(self.network)
        to.add("only", Full(3, 2, "relu", "bias", 5))
        return Job(self.network, to.graph(), 32, 48)


def test_a_table_that_was_measured_is_read_again(tmp_path):
    table = PaperTable(7, "Small", (Small("before", "one", "1", "1"), Small("after", "two", "1", "1")))
    arguments = (tmp_path, "host", Budget(2, 0.01), (1, 2), {})
    said = []
    first = measured(table, *arguments, said.append)
    assert any(words.startswith("Table 7: round 2 of 2: two") for words in said)
    assert [row["network"] for row in first] == ["one", "two"]
    said.clear()
    assert measured(table, *arguments, said.append) == first
    assert not said
    measured(replace(table, rows=table.rows[:1]), *arguments, said.append)
    assert said, "another table of that number is measured anew"

    report.write(tmp_path, {7: first}, "1 January 2026", "two rounds")
    text = (tmp_path / report.MARKDOWN).read_text(encoding="utf-8")
    assert "## Table 7: Before and after pruning" in text
    assert "| before pruning | 48x32 | 0.000 (3.93) |" in text
    assert json.loads((tmp_path / report.JSON).read_text(encoding="utf-8"))["tables"]["7"] == first
    figure.draw(tmp_path / report.FIGURE, {7: first})
    assert (tmp_path / report.FIGURE).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (["tables", "--tables", "2"], "there is no table 2"),
        (["tables", "--tables", "x"], "--tables is 'x'"),
        (["tables", "--against", "ncnn"], "ncnn reads no graph"),
        (["bench", "--network", "resnet-19-upconv"], "is no network. Near it are"),
        (["bench", "--network", "litedepth", "--against", "litert"], "litert reads no graph"),
        (["compile", "--network", "litedepth", "--width", "100"], "The nearest that it can take is 96x128"),
        (["compile", "--network", "litedepth", "--precision", "int8"], "compiled in float32, not in int8"),
        (["compile", "--network", "litedepth", "--weights", "none.npz"], "none.npz cannot be read"),
    ],
)
def test_what_cannot_be_measured_or_compiled_is_told_in_one_line(line, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(line) == 2
    words = capsys.readouterr().err
    assert said in words
    assert len(words.strip().splitlines()) == 1
