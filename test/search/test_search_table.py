"""Milliseconds of candidates: of one choice, expected, and measured of compiled networks."""

import json

import numpy as np
import pytest
from search_toy import TOY, costs, toy

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.lowering.build import compile_graph
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.network.plain import evaluate
from fastdepth_ros.pruning.board import board_latency
from fastdepth_ros.pruning.table import write_table
from fastdepth_ros.pruning.widths import channels_of
from fastdepth_ros.runtime.graph_engine import GraphEngine
from fastdepth_ros.runtime.graph_module import GraphModule
from fastdepth_ros.search import beside
from fastdepth_ros.search.choices import by_chance, covering
from fastdepth_ros.search.measure import board_table, measured_table, shared_out
from fastdepth_ros.search.space import Space, reached
from fastdepth_ros.search.table import costs_of, held, read_costs


@pytest.fixture
def space(tmp_path) -> Space:
    return toy(tmp_path)


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """The toy and its table on this machine, of few turns."""
    folder = tmp_path_factory.mktemp("search")
    space = toy(folder)
    return space, measured_table(space, folder / "table", rounds=2)


def test_expected_milliseconds_of_one_choice_are_the_sum_of_its_candidates(space):
    table = costs(space)
    for seed in range(20):
        choice = by_chance(space, seed)
        by_hand = table.fixed + sum(table.slots[slot][word] for slot, word in choice.items())
        one_hot = {slot: {word: 1.0} for slot, word in choice.items()}
        assert table.expected(space, one_hot) == pytest.approx(by_hand)
        assert table.milliseconds(space, choice) == pytest.approx(by_hand)


def test_expected_milliseconds_are_the_mean_over_networks_that_are_drawn(space):
    rng, table, shares = np.random.default_rng(0), costs(space), {}
    for slot in space.slots.values():
        drawn = rng.dirichlet(np.ones(len(slot.candidates)))
        shares[slot.name] = dict(zip(slot.candidates, drawn.tolist(), strict=True))
    mean, sure = 0.0, 0.0
    stack = [({}, 1.0, list(space.slots.values()))]
    while stack:
        choice, odds, left = stack.pop()
        while left and not reached(left[0], choice):
            left = left[1:]
        if not left:
            mean, sure = mean + odds * table.milliseconds(space, choice), sure + odds
            continue
        for word, share in shares[left[0].name].items():
            stack.append(({**choice, left[0].name: word}, odds * share, left[1:]))
    assert sure == pytest.approx(1.0)
    assert table.expected(space, shares) == pytest.approx(mean)


@pytest.mark.parametrize("board", ["tx2-cpu", "tx2-gpu"])
def test_the_table_of_a_board_adds_up_to_what_pruning_says_of_whole_networks(space, board):
    found = costs_of(board_table(space, board))
    for choice in [*covering(space, 9), by_chance(space, 1), by_chance(space, 2)]:
        graph = space.graph(choice)
        channels = channels_of(graph)
        whole = board_latency(graph, channels, board, space.height, space.width).milliseconds(channels.widths)
        assert found.milliseconds(space, choice) == pytest.approx(whole, rel=1e-3)


def test_a_call_belongs_to_the_slot_of_its_first_convolution(space):
    choice = {"a": "k3e2", "b": "k3e2", "halvings": "fewer", "up2": "k3e1.before", "correction": "sic"}
    made = space.assembled({slot: (word,) for slot, word in choice.items()})
    times = {"picture": 1.0, "stem": 2.0, "a.k3e2.expand": 4.0, "a.k3e2.dw a.k3e2.project a.k3e2.add": 8.0}
    times |= {"flat up2.k3e1.before.add": 16.0, "up2.k3e1.before.up": 32.0, "sic depth": 64.0, "answer": 128.0}
    assert shared_out(made, times) == {
        None: 131.0,
        ("a", "k3e2"): 12.0,
        ("halvings", "fewer"): 16.0,
        ("up2", "k3e1.before"): 32.0,
        ("correction", "sic"): 64.0,
    }


def test_a_measured_table_has_every_candidate_and_says_how_far_it_is_from_whole_networks(measured):
    space, table = measured
    found = costs_of(table)
    assert {slot: set(own) for slot, own in found.slots.items()} == {
        slot.name: set(slot.candidates) for slot in space.slots.values()
    }
    assert found.slots["a"]["skip"] == found.slots["correction"]["none"] == 0.0
    assert min(found.slots["a"]["k3e2"], found.slots["deep"]["k7e2"], found.slots["up2"]["k3e2.before"]) > 0
    rows = held(space, table)
    assert len(rows) == 4
    assert all(row["measured_ms"] > 0 and row["table_ms"] > found.fixed for row in rows)


def test_a_table_is_read_again_and_another_space_s_is_refused(measured, tmp_path):
    space, table = measured
    path = tmp_path / "table.json"
    write_table(path, table)
    assert read_costs(path, space)[0] == costs_of(table)
    with pytest.raises(SettingError, match="another space"):
        read_costs(path, toy(tmp_path, TOY.replace("outputs: 16", "outputs: 24")))


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"fixed": "none"},
        {"slots": {}},
        {"slots": {"a": {"skip": -1.0}}},
        {"checks": None},
        {"checks": [{}]},
        {"checks": [{"choice": {"a": "none"}}]},
    ],
)
def test_a_damaged_table_is_told(space, tmp_path, damage):
    path = tmp_path / "table.json"
    write_table(path, {**board_table(space, "tx2-cpu"), **damage})
    with pytest.raises(SettingError, match=r"table\.json"):
        read_costs(path, space)


def test_networks_are_measured_beside_each_other_and_numbers_join_in_one_file(space, tmp_path):
    choices = [by_chance(space, 1), by_chance(space, 2)]
    graphs = {f"chance-{number}": space.graph(choice) for number, choice in enumerate(choices, 1)}
    found = beside.measured(graphs, (32, 32), tmp_path / "modules", rounds=1)
    assert all(row["milliseconds"] > 0 for row in found.values())
    beside.add_rows(tmp_path, found)
    beside.add_rows(tmp_path, {"chance-1": {"seeds": {"1": {"delta1": 0.5}}}})
    rows = beside.add_rows(tmp_path, {"chance-1": {"seeds": {"2": {"delta1": 0.6}}}})
    assert rows["chance-1"]["milliseconds"] == found["chance-1"]["milliseconds"]
    assert set(rows["chance-1"]["seeds"]) == {"1", "2"}
    assert rows == beside.read_rows(tmp_path)
    nothing = {"delta1": float("nan"), "curve": [[4, float("nan"), 0.5]]}  # no pixel of a picture was answered
    beside.add_rows(tmp_path, {"found": {"seeds": {"1": nothing, "2": {"delta1": 0.5}}}})
    row = beside.read_rows(tmp_path)["found"]
    assert row["seeds"]["1"] == {"delta1": None, "curve": [[4, None, 0.5]]}
    assert beside.of_seeds(row, "delta1") == [0.5]
    (tmp_path / beside.BESIDE).write_text(json.dumps({"found": [1]}))
    with pytest.raises(SettingError, match=r"beside\.json"):
        beside.read_rows(tmp_path)


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [
        (["--budget-ms", "0"], "--budget-ms is 0"),
        (["--target", "tx2-cpu"], "needs --budget-ms"),
        (["--budget-ms", "1", "--threads", "0"], "out of range"),
        (["--budget-ms", "1", "--space", "none"], "no space"),
        (["--budget-ms", "1", "--latency", "none.json"], "no table"),
        (["--budget-ms", "1", "--name", "a b"], "cannot be called"),
    ],
)
def test_arguments_that_cannot_be_are_told(tmp_path, capsys, arguments, cause):
    toy(tmp_path)
    space = [] if "--space" in arguments else ["--space", str(tmp_path / "toy.yaml")]
    assert main(["search", "--out", str(tmp_path / "out"), *space, *arguments]) == 2
    assert cause in capsys.readouterr().err


@pytest.mark.parametrize("seed", range(3))
def test_networks_of_the_space_answer_compiled_as_in_plain_numbers(space, tmp_path, seed):
    graph = space.graph(covering(space)[seed])
    weights = noise_weights(graph)
    pixels = np.random.default_rng(seed).integers(0, 256, (32, 32, 3), np.uint8)
    engine = GraphEngine(GraphModule.open(compile_graph(graph, weights, "host", tmp_path / "module", 32, 32)), 1)
    engine.input[:] = pixels
    expected = evaluate(graph, weights, pixels.transpose(2, 0, 1).astype(np.float32) / 255)
    assert np.abs(engine.run() - expected).max() < 1e-4 * max(float(np.abs(expected).max()), 1.0)
