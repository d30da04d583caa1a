"""Spaces of networks: what their files say, and the networks in them."""

from itertools import product

import pytest
from search_toy import TOY, costs, toy

from fastdepth_ros.errors import NetworkError, SettingError
from fastdepth_ros.network.count import count, total
from fastdepth_ros.network.kinds import Add, Depthwise, Upsample
from fastdepth_ros.search.beside import by_chance_within
from fastdepth_ros.search.choices import by_chance, covering
from fastdepth_ros.search.likeliest import BINS, likeliest, likely
from fastdepth_ros.search.space import Choice, Space, names, reached, space_named
from fastdepth_ros.search.table import Costs


@pytest.fixture
def space(tmp_path) -> Space:
    return toy(tmp_path)


def every(space: Space) -> list[Choice]:
    """All choices, one for each network."""
    found = {}
    for words in product(*(slot.candidates for slot in space.slots.values())):
        full = dict(zip(space.slots, words, strict=True))
        choice = {name: word for name, word in full.items() if reached(space.slots[name], full)}
        found[tuple(choice.items())] = choice
    return list(found.values())


def even(space: Space) -> dict[str, dict[str, float]]:
    return {slot.name: dict.fromkeys(slot.candidates, 1 / len(slot.candidates)) for slot in space.slots.values()}


def test_every_network_of_a_space_is_a_graph_of_its_own(space):
    choices = every(space)
    assert len(choices) == space.networks == 180
    graphs = [space.graph(choice) for choice in choices]
    assert len({graph.nodes for graph in graphs}) == 180
    assert all(graph.scales[graph.answer.name] == graphs[0].scales["depth"] for graph in graphs)
    assert {node.name for graph in graphs for node in graph.nodes} < {node.name for node in space.whole.graph.nodes}


def test_a_network_has_the_layers_of_its_candidates_alone(space):
    choice = {"a": "skip", "b": "k5e2", "halvings": "fewer", "up2": "k3e1.behind", "correction": "none"}
    graph = space.graph(choice, "found")
    assert [node.name for node in graph.nodes] == [
        *("stem", "b.k5e2.expand", "b.k5e2.dw", "b.k5e2.project", "flat"),
        *("up2.k3e1.behind.up", "up2.k3e1.behind.dw", "up2.k3e1.behind.add", "up2.k3e1.behind.pw", "depth"),
    ]
    assert graph.name == "found"
    assert graph.by_name["b.k5e2.dw"].layer.kernel == 5
    assert graph.by_name["up2.k3e1.behind.add"].reads == ("up2.k3e1.behind.dw", "stem")


def test_a_skip_is_added_before_or_behind_the_depthwise_convolution(space):
    for place, kinds in (("before", [Upsample, Add, Depthwise]), ("behind", [Upsample, Depthwise, Add])):
        made = space.assembled({**{slot: (word,) for slot, word in every(space)[0].items()}, "up2": (f"k3e1.{place}",)})
        own = [type(node.layer) for node in made.graph.nodes if node.name.startswith("up2.")]
        assert own[:3] == kinds


def test_several_candidates_stand_beside_each_other_and_are_mixed(space):
    picked = {"a": ("k3e2", "skip"), "b": ("k3e2",), "halvings": ("more", "fewer"), "deep": ("k3e2", "k7e2")}
    picked |= {"up1": ("k3e1.before", "k3e1.behind"), "up2": ("k3e1.before",), "correction": ("none", "sic")}
    made = space.assembled(picked)
    assert made.mixes["a.mix"] == ("a", ("k3e2", "skip"))
    assert made.graph.by_name["a.mix"].reads == ("a.k3e2.add", "stem")
    assert set(made.mixes) == {"a.mix", "deep.mix", "up1.mix", "halvings.mix", "correction.mix"}
    assert made.owners["deep.k7e2.dw"] == ("deep", "k7e2")
    assert made.owners["flat"] == ("halvings", "fewer")
    assert "stem" not in made.owners


def test_a_few_networks_cover_every_candidate(space):
    choices = covering(space)
    pairs = {pair for choice in choices for pair in choice.items()}
    assert pairs == {(slot.name, word) for slot in space.slots.values() for word in slot.candidates}
    assert len(choices) <= 5
    for choice in [*choices, by_chance(space, 3)]:
        space.graph(choice)


@pytest.mark.parametrize("name", names())
def test_a_space_that_ships_is_whole(name):
    space = space_named(name)
    assert space.about
    assert space.source
    for seed in range(5):
        graph = space.graph(by_chance(space, seed))
        assert graph.channels[graph.answer.name] == 1
        assert total(count(graph, space.height, space.width)).macs > 0
    least = min(space.graph(by_chance(space, seed)).multiple for seed in range(20))
    assert least == 16  # Four halvings; others have five.


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        ("outputs: 8, kernels: [3, 5]", "outputs: 8, kernels: [4]", "kernel is 4"),
        ("outputs: 8, kernels: [3, 5]", "outputs: 8, kernels: 3", "whole numbers"),
        (
            "fewer:\n      - conv: {name: flat, outputs: 8}",
            "fewer:\n      - conv: {name: flat, outputs: 9}",
            "halvings.mix",
        ),
        ("fewer:\n      - conv: {name: flat, outputs: 8}", "fewer: []", "halvings.mix"),
        ("name: up2, skip: a", "name: up2, skip: nobody", "nobody"),
        ("{none: [], sic:", "{none: [], nought: [], sic:", "two candidates that do nothing"),
        ("name: correction, among: {none: [], sic", "name: correction, among: {sic", "two or more"),
        ("name: b, outputs", "name: a, outputs", "there are two"),
        ("mbconv-choice: {name: a,", "mbconv-chance: {name: a,", "no block"),
        ("among: {none: []", "among: {none: nothing", "no list of rows"),
        ("input: {width: 32, height: 32}", "input: {width: 32}", "input"),
        ("about: A toy.", "abuot: A toy.", "words"),
    ],
)
def test_a_space_that_cannot_be_is_told(tmp_path, old, new, cause):
    assert old in TOY
    with pytest.raises(NetworkError, match=cause):
        assert toy(tmp_path, TOY.replace(old, new, 1)).slots


def test_a_slot_of_millions_of_candidates_is_refused_before_they_are_made(tmp_path, monkeypatch):
    """40 kB of numbers would be a hundred million rows."""
    monkeypatch.setattr("fastdepth_ros.search.assembly.mbconv_rows", lambda *_: pytest.fail("they are made"))
    many = ", ".join(map(str, range(1, 4000)))
    text = TOY.replace("outputs: 8, kernels: [3, 5]", f"outputs: 8, kernels: [{many}]", 1)
    with pytest.raises(NetworkError, match="candidates, and 64 are the most"):
        assert toy(tmp_path, text).slots


def test_a_space_of_more_networks_than_there_are_numbers_is_refused(tmp_path):
    slots = "".join(
        f"- choice: {{name: s{n}, among: {{x: [], y: [{{depthwise: {{name: y{n}}}}}]}}}}\n" for n in range(9)
    )
    text = f"input: {{width: 32, height: 32}}\ndecoder:\n{slots}- conv: {{name: depth, outputs: 1}}\n"
    assert toy(tmp_path, text).networks == 512
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("fastdepth_ros.search.space.MOST_NETWORKS", 100)
        with pytest.raises(NetworkError, match="fewer slots"):
            toy(tmp_path, text)


def test_an_entry_without_slots_is_no_space(tmp_path):
    with pytest.raises(NetworkError, match="no slot"):
        toy(tmp_path, "input: {width: 32, height: 32}\ndecoder:\n- conv: {name: depth, outputs: 1}\n")


def test_a_candidate_that_is_not_there_is_told(space):
    with pytest.raises(NetworkError, match="slot b"):
        space.graph({"a": "skip"})
    with pytest.raises(NetworkError, match="k9e9"):
        space.graph({**every(space)[0], "a": "k9e9"})


def test_a_space_by_name_is_told_where_it_is_not_there(tmp_path):
    with pytest.raises(NetworkError, match="slim"):
        space_named("slimm")
    with pytest.raises(NetworkError, match="cannot be read"):
        space_named(str(tmp_path / "none.yaml"))


@pytest.mark.parametrize("budget", [19.0, 22.0, 25.0, 32.0, 60.0])
def test_the_likeliest_network_within_a_budget_is_that_of_all_networks(space, budget):
    table, shares = costs(space), even(space)
    for number, own in enumerate(shares.values()):
        for place, word in enumerate(own):
            own[word] = 1.0 + (7 * number + 5 * place) % 4 + 0.1 * place
    exact = rounded(table, budget / BINS)
    found = likeliest(space, exact, shares, budget)
    assert exact.milliseconds(space, found) <= budget

    def odds(choice: Choice) -> float:
        product_ = 1.0
        for slot, word in choice.items():
            product_ *= shares[slot][word] / max(shares[slot].values())
        return product_

    fits = [choice for choice in every(space) if exact.milliseconds(space, choice) <= budget + 1e-9]
    assert odds(found) == pytest.approx(max(map(odds, fits)))


def rounded(table: Costs, unit: float) -> Costs:
    """Milliseconds that are multiples of a unit, as the search for the likeliest counts them."""
    slots = {slot: {word: unit * round(ms / unit) for word, ms in own.items()} for slot, own in table.slots.items()}
    return Costs(table.about, unit * round(table.fixed / unit), slots)


def test_a_budget_that_no_network_meets_is_told_with_the_fastest(space):
    with pytest.raises(SettingError, match="takes 0.4 ms or less") as told:
        likeliest(space, costs(space), even(space), 0.4)
    fastest = min(costs(space).milliseconds(space, choice) for choice in every(space))
    assert f"{fastest:.3g} ms" in str(told.value)


def test_networks_by_chance_are_within_the_budget_and_differ(space):
    table = costs(space)
    found = [by_chance_within(space, table, 30.0, seed) for seed in range(8)]
    assert all(table.milliseconds(space, choice) <= 30.0 for choice in found)
    assert len({tuple(choice.items()) for choice in found}) > 1
    assert found[3] == by_chance_within(space, table, 30.0, 3)


def test_likely_networks_begin_with_the_likeliest_and_all_differ(space):
    table, shares = costs(space), even(space)
    shares["a"] = {word: 0.9 if word == "k5e2" else 0.05 for word in shares["a"]}
    found = likely(space, table, shares, 30.0, 12, seed=4)
    assert found[0] == likeliest(space, table, shares, 30.0)
    assert len({tuple(choice.items()) for choice in found}) == len(found) == 12
    assert all(table.milliseconds(space, choice) <= 30.0 for choice in found)
    assert found == likely(space, table, shares, 30.0, 12, seed=4)
    assert sum(choice["a"] == "k5e2" for choice in found) >= 8  # drawn by their probabilities
    assert likely(space, table, shares, 30.0, 1, seed=4) == found[:1]
    assert len(likely(space, table, shares, 1e6, 500, seed=1)) <= 180


def test_what_is_drawn_is_drawn_as_often_as_it_is_likely(space):
    shares = {**even(space), "correction": {"none": 0.8, "sic": 0.2}}
    drawn = [likely(space, costs(space), shares, 1e6, 2, seed=seed)[-1]["correction"] for seed in range(200)]
    assert 0.1 < drawn.count("sic") / len(drawn) < 0.3
