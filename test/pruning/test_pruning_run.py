"""The loop of NetAdapt without training: it reaches its budget, and a kill changes nothing."""

import io
import json
import zipfile
from itertools import count

import numpy as np
import pytest
from made_weights import narrowed, random_graph_weights

from fastdepth_ros.cli import main
from fastdepth_ros.errors import NetworkError, SettingError, WeightsError
from fastdepth_ros.estimate.latency import estimate
from fastdepth_ros.network import FULL, PRUNED
from fastdepth_ros.network.entries import entry, names, read_entry
from fastdepth_ros.network.fastdepth import graph_of, table_of
from fastdepth_ros.pruning.board import BOARDS, board_latency
from fastdepth_ros.pruning.entry_file import write_entry
from fastdepth_ros.pruning.judge import NormJudge
from fastdepth_ros.pruning.latency import Latency, Unit
from fastdepth_ros.pruning.proposals import Judged, Proposal, best, proposals, reachable
from fastdepth_ros.pruning.run import LOG, STATE, Job, Run
from fastdepth_ros.pruning.schedule import Schedule
from fastdepth_ros.pruning.store import read_arrays, write_arrays
from fastdepth_ros.pruning.widths import channels_of

BY_WIDTH = Latency(
    "a millisecond a channel", [Unit("a", ("a",), lambda w: float(w[0])), Unit("b", ("b",), lambda w: 2.0 * w[0])]
)


def job(budget: float = 0.7, iterations: int = 8) -> Job:
    """FastDepth with half of its channels, whose time is its share of them."""
    graph = narrowed(entry("fastdepth-full").graph, 2)
    channels = channels_of(graph)
    units = [Unit(name, (name,), lambda w, whole=g.channels: w[0] / whole / 16) for name, g in channels.groups.items()]
    latency = Latency("share of the channels", units)
    return Job(graph, latency, Schedule(latency.milliseconds(channels.widths), budget, iterations), {})


def begun(out, asked: Job) -> Run:
    arrays = random_graph_weights(asked.graph)
    return Run(asked, NormJudge(asked.graph, arrays), arrays, out)


@pytest.mark.parametrize("decay", [0.5, 0.96, 1.0])
def test_the_steps_of_a_schedule_add_up_to_the_whole_way(decay):
    schedule = Schedule(66.0, 37.0, 40, decay)
    assert sum(schedule.step(i) for i in range(40)) == pytest.approx(29.0)
    now = 66.0
    for i in range(40):
        now = schedule.target(now, i)
    assert now == 37.0


@pytest.mark.parametrize(
    ("start", "budget", "iterations", "decay"),
    [(10, 10, 5, 1), (10, 0, 5, 1), (10, 5, 0, 1), (10, 5, 5, 0), (10, 5, 5, 1.1)],
)
def test_a_schedule_that_leads_nowhere_is_refused(start, budget, iterations, decay):
    with pytest.raises(SettingError):
        Schedule(start, budget, iterations, decay)


def test_a_proposal_is_the_least_cut_that_reaches_the_target():
    found = proposals(BY_WIDTH, {"a": 37, "b": 40}, ["a", "b"], 100.0)
    assert found == [Proposal("a", 16, 96.0), Proposal("b", 24, 85.0)]
    assert proposals(BY_WIDTH, {"a": 8, "b": 40}, ["a", "b"], 20.0) == []


def test_a_step_that_no_group_can_take_alone_is_halved():
    assert proposals(BY_WIDTH, {"a": 64, "b": 64}, ["a", "b"], 30.0) == []
    target, found = reachable(BY_WIDTH, {"a": 64, "b": 64}, ["a", "b"], 192.0, 30.0)
    assert target == 111.0
    assert [one.group for one in found] == ["b"]
    assert reachable(BY_WIDTH, {"a": 8, "b": 8}, ["a", "b"], 24.0, 10.0) == (10.0, [])


def test_the_best_proposal_loses_least_for_each_millisecond():
    cheap, dear, better, best_yet = (
        Judged(Proposal(name, 8, milliseconds), accuracy)
        for name, milliseconds, accuracy in (
            ("cheap", 8.0, 0.78),
            ("dear", 9.0, 0.78),
            ("up", 9.0, 0.81),
            ("upper", 8.0, 0.81),
        )
    )
    assert best([dear, cheap], 10.0, 0.80) is cheap
    assert best([dear, cheap, better], 10.0, 0.80) is better
    assert best([better, dear, best_yet], 10.0, 0.80) is best_yet


def test_a_run_reaches_its_budget_in_the_iterations_that_it_was_given(tmp_path):
    run = begun(tmp_path, job())
    assert run.go()
    assert run.log["end"] == "budget reached"
    assert run.now["milliseconds"] <= 0.7
    assert len(run.log["taken"]) <= 8
    run.graph.check_weights(run.arrays)
    assert json.loads((tmp_path / LOG).read_text()) == run.log
    before = run.log["start"]["milliseconds"]
    for one in run.log["taken"]:
        assert one["milliseconds"] <= one["target_ms"] < before
        assert one["group"] in {proposal["group"] for proposal in one["proposals"]}
        before = one["milliseconds"]


@pytest.mark.parametrize("after", [1, 7, 16, 17, 30])
def test_a_run_that_was_stopped_and_goes_on_ends_as_one_that_was_not(tmp_path, after):
    begun(tmp_path / "whole", job()).go()
    asked = count()
    assert not begun(tmp_path / "broken", job()).go(stopping=lambda: next(asked) >= after)
    assert begun(tmp_path / "broken", job()).go()
    for name in (STATE, LOG):
        assert (tmp_path / "whole" / name).read_bytes() == (tmp_path / "broken" / name).read_bytes()


def test_a_folder_with_another_run_is_refused(tmp_path):
    begun(tmp_path, job()).go()
    with pytest.raises(SettingError, match="budget_ms"):
        begun(tmp_path, job(0.8))


def test_a_budget_below_what_can_be_cut_ends_the_run_and_says_so(tmp_path):
    run = begun(tmp_path, job(1e-6, 3))
    assert run.go()
    assert run.log["end"] == "nothing is left that could be cut"
    assert run.now["milliseconds"] > 1e-6


def test_a_damaged_state_is_told(tmp_path):
    (tmp_path / STATE).write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(WeightsError, match=STATE):
        begun(tmp_path, job())


def state(members: dict[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return content.getvalue()


def array_of(shape: tuple[int, ...]) -> bytes:
    """A header that says how many numbers follow, and none of them."""
    content = io.BytesIO()
    np.lib.format.write_array_header_1_0(content, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return content.getvalue()


def damaged(content: bytes, at: int, *to: int) -> bytes:
    return content[:at] + bytes(to) + content[at + len(to) :]


NUMBERS = json.dumps(list(range(3000))).encode()
STATES = {
    "an array of terabytes": state({"now/a.npy": array_of((2**40,))}),
    "JSON without end": state({"text.json": b"[" * 100_000}),
    "a bomb": state({"now/a.npy": bytes(100 << 20)}),
    "damaged bytes": damaged(state({"text.json": NUMBERS}), 60, *[255] * 30),
    "a secret": damaged(state({"text.json": NUMBERS}), 6, 1),
    "a way to pack that there is not": damaged(state({"text.json": NUMBERS}), 8, 99),
    "no archive": b"",
    "no text": state({"now/a.npy": array_of((0,))}),
    "a list for a text": state({"text.json": b"[1]"}),
    "a text of another job": state({"text.json": b'{"log": {"job": 5}, "judged": []}'}),
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_of_somebody_else_is_told(tmp_path, name):
    (tmp_path / STATE).write_bytes(STATES[name])
    with pytest.raises(WeightsError, match=STATE):
        begun(tmp_path, job())


@pytest.mark.parametrize("without", ["judged", "taken", "start", "accuracy", "arrays"])
def test_a_state_that_lacks_something_is_told(tmp_path, without):
    begun(tmp_path, job()).go(stopping=lambda: True)
    begun(tmp_path, job()).save()
    arrays, text = read_arrays(tmp_path / STATE)
    for table in (text, text["log"], text["log"].get("start", {})):
        table.pop(without, None)
    write_arrays(tmp_path / STATE, {} if without == "arrays" else arrays, text)
    with pytest.raises(WeightsError, match=STATE):
        begun(tmp_path, job())


def test_arrays_on_disk_are_the_same_bytes_for_the_same_arrays(tmp_path):
    arrays = {**random_graph_weights(job().graph), "a single number": np.array(7)}
    write_arrays(tmp_path / "one.npz", arrays, {"a": 1})
    write_arrays(tmp_path / "other.npz", dict(reversed(arrays.items())), {"a": 1})
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()
    found, text = read_arrays(tmp_path / "one.npz")
    assert text == {"a": 1}
    assert all(found[name].shape == array.shape and (found[name] == array).all() for name, array in arrays.items())


@pytest.mark.parametrize("board", BOARDS)
@pytest.mark.parametrize("table", [FULL, PRUNED], ids=["full", "pruned"])
def test_a_board_s_table_adds_up_to_its_estimate(board, table):
    graph = graph_of(table)
    channels = channels_of(graph)
    found = board_latency(graph, channels, board, 224, 224).milliseconds(channels.widths)
    assert found == pytest.approx(estimate(table, board).total)


def test_a_layer_that_no_board_was_measured_with_is_named():
    graph = entry("efficientpose-a").graph
    channels = channels_of(graph)
    with pytest.raises(NetworkError, match="transposed"):
        board_latency(graph, channels, "tx2-cpu", 256, 256).milliseconds(channels.widths)


@pytest.mark.parametrize("name", names())
def test_a_network_written_layer_by_layer_is_the_same_network(name, tmp_path):
    found = entry(name)
    path = tmp_path / "copy.yaml"
    try:
        write_entry(path, found.graph, found.height, found.width, "A copy.", "The original.")
    except NetworkError as error:
        pytest.skip(f"rows cannot say it: {error}")
    again = read_entry(path)
    assert again.graph.nodes == found.graph.nodes
    assert (again.height, again.width, again.graph.loose) == (found.height, found.width, found.graph.loose)


def test_a_pruned_fastdepth_is_a_table_that_bundles_know():
    assert table_of(graph_of(PRUNED), "mine") == type(PRUNED)("mine", PRUNED.encoder, PRUNED.decoder)
    assert table_of(entry("litedepth").graph, "mine") is None


def test_the_command_prunes_for_a_board_by_norm(tmp_path, capsys):
    out, picture = tmp_path / "tx2", tmp_path / "run.png"
    line = ["prune", "fastdepth-full", "--latency", "tx2-cpu", "--budget", "57", "--iterations", "2", "--out", str(out)]
    assert main([*line, "--plot", str(picture)]) == 0
    said = capsys.readouterr().out
    assert "60.65 ms" in said
    assert "budget reached" in said
    found = read_entry(out / "tx2.yaml")
    arrays, _ = read_arrays(out / "weights.npz")
    found.graph.check_weights(arrays)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert main(line) == 0  # again: nothing is left to do
    assert main(["networks", "show", str(out / "tx2.yaml")]) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--latency, --budget and --out"),
        (["--latency", "nowhere.json", "--budget", "5", "--out", "o"], "nowhere.json cannot be read"),
        (["--latency", "tx2-cpu", "--budget", "500", "--out", "o"], "the network takes 60.65 ms"),
        (["--latency", "tx2-cpu", "--budget", "50", "--out", "o", "--weights", "run/checkpoint.pt"], "--recipe"),
        (["--plot", "p.png", "--out", "nothing"], "log.json cannot be read"),
    ],
)
def test_what_cannot_be_done_is_told(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["prune", "fastdepth-full", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("log", ["{}", "[]", "3", '{"taken": [{}], "start": {"milliseconds": "x"}}'])
def test_a_log_of_something_else_is_not_drawn(log, tmp_path, monkeypatch, capsys):
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.json").write_text(log)
    assert main(["prune", "fastdepth-full", "--plot", "p.png", "--out", "."]) == 2
    assert "is no log of such a run" in capsys.readouterr().err
