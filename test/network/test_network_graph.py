"""Graphs that cannot be are refused in one line that names layer and cause; sizes of those that can."""

import re
import weakref

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_weights import random_graph_weights
from slowly import examples

from fastdepth_ros.errors import FastDepthError, NetworkError, WeightsError
from fastdepth_ros.network import FULL, PRUNED
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.entries import entry, names
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.graph import PICTURE, Graph, Node, follow
from fastdepth_ros.network.kinds import Add, Concatenate, Depthwise, Full, MaxPool, Transposed, Unpool, Upsample
from fastdepth_ros.network.sizes import nearest, sizes
from fastdepth_ros.network.stored import from_json, to_json


def conv(name, *reads, outputs=4, stride=1, kernel=3):
    return Node(name, Full(kernel, stride, outputs=outputs), reads or (PICTURE,))


HALF = Node("half", Depthwise(3, 2), ("a",))


@pytest.mark.parametrize(
    ("nodes", "said"),
    [
        ([], "has 0 layers"),
        ([conv("a"), conv("a", "a")], "two layers called a"),
        ([conv("a/b")], "cannot be called 'a/b'"),
        ([conv(PICTURE)], "cannot be called 'picture'"),
        ([conv("a", "b")], "layer a: it reads 'b', which is no layer"),
        ([conv("a", "c"), conv("b", "a"), conv("c", "b"), conv("d", "c")], r"layer \w: it reads its own answer .*a"),
        ([conv("a", "a")], "layer a: it reads its own answer (a <- a)"),
        ([conv("a"), conv("b")], "layer a: nobody reads its answer"),
        ([conv("b", "a"), conv("a")], "layer a: it is given last, as the network's answer, but b reads it"),
        ([conv("a"), Node("b", Add(), ("a",))], "layer b: it reads 1 maps, and add cannot"),
        ([conv("a"), Node("b", Upsample(), ("a", PICTURE))], "layer b: it reads 2 maps, and upsample cannot"),
        ([conv("a"), Node("b", Add(), ("a", PICTURE))], "layer b: it adds maps of 4 and 3 channels"),
        (
            [conv("a"), HALF, Node("b", Add(), ("a", "half"))],
            "layer b: its maps are of different scales: a (1 of the picture) and half (1/2 of the picture)",
        ),
        (
            [conv("a"), HALF, Node("b", Concatenate(), ("half", "a"))],
            "layer b: its maps are of different scales: half (1/2 of the picture) and a (1 of the picture)",
        ),
        ([conv("a", kernel=4)], "layer a: its kernel is 4, and an even kernel has no middle"),
        ([conv("a", kernel=33)], "layer a: its kernel is 33, and 1 to 31 are allowed"),
        ([conv("a", stride=0)], "layer a: its stride is 0, and 1 to 8 are allowed"),
        ([conv("a", outputs=5000)], "layer a: its outputs is 5000, and 1 to 4096 are allowed"),
        ([conv("a", outputs=2.0)], "layer a: its outputs is 2.0"),
        ([Node("a", Full(activation="swish", outputs=1), (PICTURE,))], "layer a: its activation is 'swish'"),
        ([Node("a", Depthwise(offset="mean"), (PICTURE,))], "layer a: its offset is 'mean'"),
        ([Node("a", Upsample(mode="cubic"), (PICTURE,))], "layer a: its mode is 'cubic'"),
        ([Node("a", MaxPool(2), (PICTURE,))], "layer a: its kernel is 2"),
        ([Node("a", Unpool(True), (PICTURE,))], "layer a: its factor is True"),
        ([Node("a", Transposed(3, 4, outputs=2), (PICTURE,))], "layer a: its kernel 3 is smaller than its stride 4"),
        (
            [conv("a", stride=8), *(conv("abcde"[i + 1], "abcde"[i], stride=8) for i in range(4))],
            "layer d: its answer is 1/4096",
        ),
        (
            [Node("a", Upsample(8), (PICTURE,)), *(Node("abcde"[i + 1], Upsample(8), ("abcde"[i],)) for i in range(4))],
            "layer d:",
        ),
        (
            [conv("a", outputs=4096), Node("b", Concatenate(), ("a", "a", PICTURE))],
            "layer b: its answer has 8195 channels, more than 4096",
        ),
    ],
)
def test_a_graph_that_cannot_be_names_layer_and_cause(nodes, said):
    with pytest.raises(NetworkError) as refused:
        Graph("odd", tuple(nodes))
    assert re.search(re.escape(said) if "\\w" not in said else said, refused.value.cause)
    assert "odd" in refused.value.cause
    assert "\n" not in str(refused.value)
    assert isinstance(refused.value, FastDepthError)


def test_layers_in_any_order_are_sorted_and_the_last_stays_the_answer():
    graph = Graph("any", (conv("c", "b"), conv("b", "a"), conv("a"), conv("d", "c")))
    assert [node.name for node in graph.nodes] == ["a", "b", "c", "d"]
    assert graph.answer.name == "d"


def test_a_map_is_gone_when_its_last_reader_has_read_it():
    class Map:
        """An answer that can be watched."""

    alive, most = weakref.WeakSet(), []

    def compute(_node, _read):
        answer = Map()
        alive.add(answer)
        most.append(len(alive))
        return answer

    graph = Graph("chain", (conv("a"), *(conv(f"c{i}", f"c{i - 1}" if i else "a") for i in range(20))))
    assert set(follow(graph, compute, Map())) == {"c19"}
    assert max(most) == 2
    assert set(follow(graph, compute, Map(), keep=["a", "c3"])) == {"a", "c3", "c19"}


@pytest.mark.parametrize("table", [PRUNED, FULL], ids=lambda table: table.name)
def test_fastdepth_s_graph_is_its_table(table):
    graph = graph_of(table)
    assert graph.weight_shapes() == {
        name: shape
        for layer in table.convolutions
        for name, shape in ((f"{layer.name}.weight", layer.weight_shape), (f"{layer.name}.bias", (layer.outputs,)))
    }
    found = sizes(graph, 96, 64)
    for layer, rows, columns in table.inputs(96, 64, repeated=True):
        assert found[graph.by_name[layer.name].reads[0]] == (rows, columns)
        assert found[layer.name] == (rows // layer.stride, columns // layer.stride)
    assert found["decode_conv6"] == (96, 64)


def test_a_skip_of_a_few_pixels_too_many_is_refused_with_the_nearest_size():
    graph = graph_of(PRUNED)
    assert graph.multiple == 32
    with pytest.raises(NetworkError, match=r"225x224: layer .*wide.* The nearest that it can take is 224x224\."):
        sizes(graph, 224, 225)
    with pytest.raises(NetworkError, match=r"do not meet.*The nearest that it can take is 640x480"):
        sizes(graph, 470, 640)


@pytest.mark.parametrize("side", [0, -5, 9000])
def test_a_picture_of_no_size_or_a_huge_one_is_refused(side):
    with pytest.raises(NetworkError, match=r"1 to 8192 are allowed"):
        sizes(graph_of(PRUNED), side, 224)


def test_a_network_without_skips_still_lies_on_its_picture():
    graph = entry("mobilenet-nnconv5").graph
    with pytest.raises(NetworkError, match=r"decode_conv6: its answer is 256 px high.* is 224x224"):
        sizes(graph, 226, 224)
    loose = Graph(graph.name, graph.nodes, loose=True)
    assert sizes(loose, 226, 224)["decode_conv6"] == (256, 224)


@pytest.mark.parametrize(
    "name", ["fastdepth-pruned", "resnet-18-upconv", "laina-upconv", "litedepth", "efficientpose-a", "lite0-nnconv5dw"]
)
def test_every_size_that_is_named_as_nearest_is_taken_and_none_is_nearer(name):
    graph = entry(name).graph
    taken = set()
    for side in range(1, 3 * graph.multiple + 1):
        try:
            sizes(graph, side, graph.multiple)
        except NetworkError:
            continue
        taken.add(side)
    assert graph.multiple in taken
    for side in (1, graph.multiple + 1, graph.multiple + 16, 2 * graph.multiple + 17):
        assert abs(nearest(graph, side) - side) == min(abs(each - side) for each in taken)


@pytest.mark.parametrize("name", names())
def test_a_graph_survives_json(name):
    graph = entry(name).graph
    assert from_json(to_json(graph)) == graph


def changed(**changes):
    table = to_json(graph_of(PRUNED))
    table["layers"][3] = {**table["layers"][3], **changes}
    return table


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (None, "a graph has the words"),
        ({**changed(), "colour": 1}, "a graph has the words"),
        ({**changed(), "inputs": True}, "inputs is True"),
        ({**changed(), "layers": {}}, "layers is {}"),
        ({**changed(), "name": "a b"}, "cannot be called 'a b'"),
        (changed(kind="shuffle"), "layer conv2.dw: 'shuffle' is no kind of layer"),
        (changed(kind=["full"]), "layer conv2.dw: ['full'] is no kind of layer"),
        (changed(dilation=2), "layer conv2.dw: 'dilation' is no word of depthwise"),
        (changed(kernel=None), "layer conv2.dw: kernel is None"),
        (changed(kernel="3"), "layer conv2.dw: its kernel is '3'"),
        (changed(reads="conv1.pw"), "layer conv2.dw: reads is 'conv1.pw'"),
        (changed(reads=["decode_conv1.pw"]), "it reads its own answer"),
        (changed(part="middle"), "layer conv2.dw: part is 'middle'"),
        (changed(name=7), "is no layer with a name"),
        ({**changed(), "layers": [3]}, "3 is no layer with a name"),
    ],
)
def test_json_of_no_graph_is_refused_in_one_line(table, said):
    with pytest.raises(NetworkError) as refused:
        from_json(table)
    assert said in refused.value.cause
    assert "\n" not in str(refused.value)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.sampled_from(["conv0", "full"]),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=5,
)


@settings(max_examples=examples(60))
@given(st.integers(0, 45), st.sampled_from(["name", "kind", "reads", "part", "kernel", "outputs", "mode"]), ANYTHING)
def test_json_with_anything_in_a_place_is_a_graph_or_refused(number, word, value):
    table = to_json(graph_of(PRUNED))
    table["layers"][number][word] = value
    try:
        said = from_json(table).name
    except NetworkError as refused:
        said = str(refused)
    assert "\n" not in said


def test_weights_of_another_network_name_the_layer():
    weights = random_graph_weights(graph_of(FULL))
    with pytest.raises(WeightsError, match=r"conv0.weight has shape .*not of fastdepth-pruned"):
        graph_of(PRUNED).check_weights(weights)
    del weights["conv3.pw.bias"]
    with pytest.raises(WeightsError, match=r"conv3.pw.bias is missing"):
        graph_of(FULL).check_weights(weights)


def test_a_builder_says_which_block_is_missing():
    builder = GraphBuilder("small")
    builder.add("a", Full(outputs=2))
    with pytest.raises(NetworkError, match=r"small: 'b' is no layer or block before"):
        builder.add("c", Add(), ("a", "b"))
    assert np.all(builder.graph().channels["a"] == 2)
