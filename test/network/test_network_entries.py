"""Entries are files of data: what they say is read strictly, and what a file may say wrongly is told with its row."""

import re

import pytest

from fastdepth_ros.errors import NetworkError
from fastdepth_ros.network import FULL, NETWORKS
from fastdepth_ros.network.blocks import BLOCKS
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.count import count
from fastdepth_ros.network.entries import entry, names, part_rows, read_entry
from fastdepth_ros.network.fastdepth import graph_of
from fastdepth_ros.network.kinds import KINDS
from fastdepth_ros.network.printed import printed
from fastdepth_ros.network.rows import add_rows

ENCODERS, DECODERS = ("resnet-50", "resnet-18", "mobilenet"), ("upproj", "upconv", "deconv5", "nnconv5")


def test_the_papers_networks_are_there():
    assert {f"{encoder}-{decoder}" for encoder in ENCODERS for decoder in DECODERS} <= set(names())
    assert set(NETWORKS) <= set(names())
    assert {"litedepth", "mobilenetv3-unet", "fastdepth-student", "mobilenetv3-rfdb"} <= set(names())
    assert {f"efficientpose-{size}" for size in "abc"} | {f"lite{size}-nnconv5dw" for size in "012"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_an_entry_says_what_it_is_and_where_it_comes_from(name):
    found = entry(name)
    assert found.name == found.graph.name == name
    assert found.about.endswith(".")
    assert found.source
    rows = count(found.graph, found.height, found.width)
    assert rows[-1].channels == 1
    assert {row.part for row in rows} == {"encoder", "decoder"}
    lines = printed(found.graph, found.height, found.width).splitlines()
    assert [line.split()[0] for line in lines[1:-3]] == [row.name for row in rows]
    assert [line.split()[0] for line in lines[-3:]] == ["encoder", "decoder", name]


def test_every_kind_of_layer_and_every_block_is_used_by_an_entry():
    used = {node.layer.word for name in names() for node in entry(name).graph.nodes}
    assert used == set(KINDS)
    from fastdepth_ros.network.entries import FOLDER

    text = "\n".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.yaml"))
    assert set(BLOCKS) == set(re.findall(r"^- ([\w-]+):", text, re.MULTILINE))


def test_rows_with_added_skips_are_fastdepth_s_table():
    rows = []
    for row in part_rows("decoder", "nnconv5dw"):
        rows.append(row)
        skip = {"decode_conv2.up": "conv5", "decode_conv3.up": "conv3", "decode_conv4.up": "conv1"}
        name = next(iter(row.values()))["name"]
        if name in skip:
            rows.append({"add": {"name": name.replace("up", "add"), "skip": skip[name]}})
    builder = GraphBuilder(FULL.name)
    builder.part = "encoder"
    add_rows(builder, part_rows("encoder", "mobilenet"), "encoder")
    builder.part = "decoder"
    add_rows(builder, rows, "decoder")
    assert builder.graph() == graph_of(FULL)


def test_an_unknown_network_is_told_its_neighbours():
    with pytest.raises(NetworkError, match=r"'mobilenet-nconv5' is no network. Near it are mobilenet-nnconv5"):
        entry("mobilenet-nconv5")
    with pytest.raises(NetworkError, match=r"fastdepth networks list"):
        entry("../../secret")


GOOD = """
about: Two layers.
source: nobody
encoder:
- conv: {name: a, outputs: 4, kernel: 3, stride: 2}
decoder:
- separable: {name: b, outputs: 1}
- upsample: {name: c}
"""


def test_an_entry_of_one_s_own_is_read_from_its_file(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    found = entry(str(path))
    assert [node.name for node in found.graph.nodes] == ["a", "b.dw", "b.pw", "c"]
    assert [node.part for node in found.graph.nodes] == ["encoder", *["decoder"] * 3]
    assert (found.width, found.height) == (224, 224)


def test_a_row_may_read_what_it_names(tmp_path):
    path = tmp_path / "fork.yaml"
    more = "- conv: {name: d, outputs: 1, from: a}\n- upsample: {name: e}\n- add: {name: f, skip: c}\n"
    path.write_text(GOOD + more, encoding="utf-8")
    graph = read_entry(path).graph
    assert graph.by_name["d"].reads == ("a",)
    assert graph.answer.reads == ("e", "c")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("about: Two layers.", "", "about is '' where a sentence belongs"),
        ("source: nobody", "source: [1]", "source is [1] where a sentence belongs"),
        ("source: nobody", "source: nobody\ncolour: red", "'colour' is no word of an entry"),
        ("source: nobody", "source: nobody\ninput: 224", "input is 224"),
        ("source: nobody", "source: nobody\ninput: {width: 0, height: 3}", "1 to 8192 px"),
        ("source: nobody", "source: nobody\nloose: 3", "loose is 3"),
        ("source: nobody", "source: nobody\ntable: fastdepth-full", "table 'fastdepth-full' is not one of"),
        ("- conv: {name: a", "- convv: {name: a", "row 1 of the encoder: 'convv' is no block; conv is"),
        (
            "- conv: {name: a, outputs: 4, kernel: 3, stride: 2}",
            "- conv",
            "row 1 of the encoder is 'conv', and a row is",
        ),
        ("- upsample: {name: c}", "- upsample: c", "row 2 of the decoder: upsample has 'c'"),
        ("stride: 2", "strides: 2", "row 1 of the encoder (conv): 'strides' is no argument; stride is"),
        ("outputs: 4, ", "", "row 1 of the encoder (conv): outputs is missing"),
        ("outputs: 4", "outputs: four", "row 1 of the encoder (conv): outputs is 'four' where a whole number"),
        ("outputs: 4", "outputs: true", "outputs is True where a whole number"),
        ("outputs: 4", "outputs: 0", "outputs is 0 where a whole number"),
        (
            "stride: 2",
            "stride: 2, activation: tanh",
            "activation is 'tanh', and none, relu, relu6, hard-swish are known",
        ),
        ("{name: c}", "{name: c, from: z}", "'z' is no layer or block before"),
        ("- upsample: {name: c}", "- concatenate: {name: c, skips: b}", "skips is 'b' where a list of names"),
        ("- upsample: {name: c}", "- add: {name: c, skip: a}", "layer c: it adds maps of 1 and 4 channels"),
        ("- separable: {", "- mbconv: {repeats: 4000, expansion: 2, ", "is one more than 2000"),
        ("kernel: 3", "kernel: 2", "layer a: its kernel is 2"),
        ("name: c", "name: a", "two layers called a"),
        ("encoder:\n", "encoder: vgg\nothers:\n", "'others' is no word of an entry"),
        ("about", "{", "cannot be read"),
        (GOOD, "3", "is no table of words"),
        (GOOD, "about: a\nsource: b\n", "neither an encoder nor a decoder"),
        (GOOD, "about: a\nsource: b\nencoder: vgg\n", "'vgg' is no encoder"),
        (GOOD, "about: a\nsource: b\nencoder: {}\n", "the encoder is no list of rows"),
    ],
)
def test_an_entry_that_says_what_cannot_be_is_told_in_one_line(tmp_path, old, new, said):
    path = tmp_path / "bad.yaml"
    assert old in GOOD
    path.write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(NetworkError) as refused:
        entry(str(path))
    assert said in refused.value.cause + refused.value.remedy
    assert "bad" in refused.value.cause
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NetworkError, match=r"none.yaml cannot be read"):
        entry(str(tmp_path / "none.yaml"))
