"""Weights, multiply-accumulates and receptive fields against the papers' tables and counts by hand."""

import weakref

import numpy as np
import pytest

from fastdepth_ros.network import FULL, PRUNED
from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.count import count, peak_values, total
from fastdepth_ros.network.entries import entry, part_rows
from fastdepth_ros.network.graph import Graph, Node, follow
from fastdepth_ros.network.kinds import Add, Full, Upsample
from fastdepth_ros.network.rows import add_rows


def counted(name, part=None):
    found = entry(name)
    return total(count(found.graph, found.height, found.width), part)


def printed(number, unit, paper):
    """The number with as many digits as the paper prints."""
    return f"{number / unit:.{len(paper.partition('.')[2])}f}"


@pytest.mark.parametrize(
    ("name", "part", "weights", "macs"),
    [
        ("resnet-50-nnconv5", "encoder", "25.6", "4.19"),  # table 3, with the 1x1 to 1024
        ("resnet-18-nnconv5", "encoder", "11.7", "1.84"),
        ("mobilenet-nnconv5", "encoder", "3.19", "0.57"),
        ("mobilenet-upproj", "decoder", "38.1", "28.0"),  # table 4, decoder alone
        ("mobilenet-nnconv5", "decoder", "17.5", "3.21"),
        ("mobilenet-nnconv5", None, "20.6", "3.78"),  # table 5
        ("mobilenet-nnconv5dw", None, "3.93", "0.74"),
        ("fastdepth-full", None, "3.93", "0.74"),
        ("mobilenet-nnconv5dw-skipconcat", None, "3.99", "0.85"),
        ("fastdepth-pruned", None, "1.34", "0.37"),  # table 7
        ("laina-upconv", None, None, "22.9"),  # table 1
        ("laina-upproj", None, None, "42.7"),
    ],
)
def test_the_paper_s_tables_to_the_digits_printed(name, part, weights, macs):
    found = counted(name, part)
    assert weights is None or printed(found.weights, 1e6, weights) == weights
    assert printed(found.macs, 1e9, macs) == macs


@pytest.mark.parametrize("decoder", ["upconv", "deconv5"])
def test_one_figure_of_table_4_is_reached_only_with_what_else_was_counted(decoder):
    # Table 4 prints 12.9; convolutions alone are 12.847 G. Batch normalisation's multiplication and addition for each
    # number that a convolution answers make it 12.853, which rounds to the paper's; nobody knows what else it counted.
    found = entry(f"mobilenet-{decoder}")
    rows = [row for row in count(found.graph) if row.part == "decoder"]
    assert printed(total(rows).weights, 1e6, "17.5") == "17.5"
    macs = total(rows).macs
    assert printed(macs, 1e9, "12.847") == "12.847"
    normalised = macs + 2 * sum(row.channels * row.height * row.width for row in rows if row.weights)
    assert printed(normalised, 1e9, "12.9") == "12.9"
    assert printed(total(rows).macs_without_zeros, 1e9, "3.213") == "3.213"


@pytest.mark.parametrize(
    ("name", "weights", "macs"),
    [
        ("resnet-50-upproj", "63.61", "32.19"),
        ("resnet-50-upconv", "43.01", "17.04"),
        ("resnet-50-deconv5", "43.01", "17.04"),
        ("resnet-50-nnconv5", "43.01", "7.40"),
        ("resnet-50-nnconv5dw", "26.30", "4.36"),
        ("resnet-18-upproj", "49.75", "29.84"),
        ("resnet-18-upconv", "29.15", "14.69"),
        ("resnet-18-deconv5", "29.15", "14.69"),
        ("resnet-18-nnconv5", "29.15", "5.05"),
        ("resnet-18-nnconv5dw", "12.44", "2.01"),
        ("mobilenet-upproj", "41.25", "28.57"),
        ("mobilenet-upconv", "20.64", "13.41"),
        ("mobilenet-deconv5", "20.64", "13.41"),
        ("mobilenet-nnconv5", "20.644", "3.781"),
        ("mobilenet-nnconv5dw", "3.933", "0.737"),
        ("mobilenet-nnconv5dw-skipconcat", "3.987", "0.849"),
        ("fastdepth-pruned", "1.344", "0.366"),
        ("laina-upconv", "43.0", "22.91"),
        ("laina-upproj", "63.5", "42.71"),
        ("litedepth", "0.377", "0.0267"),
    ],
)
def test_whole_networks_have_the_size_that_was_counted_apart(name, weights, macs):
    found = counted(name)
    assert printed(found.weights, 1e6, weights) == weights
    assert printed(found.macs, 1e9, macs) == macs


@pytest.mark.parametrize(
    ("name", "part", "parameters"),
    [
        ("resnet-50-nnconv5", "encoder", "25.606"),
        ("resnet-18-nnconv5", "encoder", "11.702"),
        ("mobilenet-nnconv5", "encoder", "3.207"),
        ("mobilenet-upproj", "decoder", "38.067"),
        ("mobilenet-upconv", "decoder", "17.461"),
        ("mobilenet-deconv5", "decoder", "17.461"),
        ("mobilenet-nnconv5", None, "20.668"),
        ("mobilenet-nnconv5dw", None, "3.961"),
        ("mobilenet-nnconv5dw-skipconcat", None, "4.016"),
        ("fastdepth-pruned", None, "1.361"),
    ],
)
def test_parameters_are_what_torch_counts(name, part, parameters):
    assert printed(counted(name, part).parameters, 1e6, parameters) == parameters


@pytest.mark.parametrize("table", [PRUNED, FULL], ids=lambda table: table.name)
def test_a_graph_and_fastdepth_s_table_count_the_same(table):
    found = counted(table.name)
    assert found.macs == found.macs_without_zeros == table.macs()
    assert found.weights == sum(int(np.prod(conv.weight_shape)) for conv in table.convolutions)


def test_an_encoder_s_figures_are_those_of_its_own_paper():
    small, lite = entry("litedepth").graph, entry("lite0-nnconv5dw").graph
    own = total(count(small, 224, 224), "encoder")
    assert (printed(own.weights, 1e6, ".361"), printed(own.macs, 1e9, ".048")) == ("0.361", "0.048")
    own = total(count(lite, 224, 224), "encoder")
    assert (printed(own.weights, 1e6, "2.92"), printed(own.macs, 1e9, ".364")) == ("2.92", "0.364")


@pytest.mark.parametrize(
    ("size", "side", "parameters", "macs"),
    # tensorflow/tpu, models/official/efficientnet/lite, README.
    [(0, 224, "4.7", "407"), (1, 240, "5.4", "631"), (2, 260, "6.1", "899")],
)
def test_efficientnet_lite_with_its_classifier_is_as_large_as_its_authors_say(size, side, parameters, macs):
    builder = GraphBuilder("lite")
    add_rows(builder, part_rows("encoder", f"efficientnet-lite{size}"), "rows")
    builder.add("head", Full(outputs=1280))
    found = total(count(builder.graph(loose=True), side, side))
    assert printed(found.parameters + 1280 * 1000 + 1000, 1e6, parameters) == parameters
    assert found.macs + 1280 * 1000 == pytest.approx(float(macs) * 1e6, rel=0.06)


@pytest.mark.parametrize(
    ("size", "joints", "parameters", "macs", "without_zeros"),
    [("a", 16, "1.30", ".718", ".542"), ("b", 16, "3.25", "1.62", "1.395"), ("c", 16, "5.00", "2.09", "1.862")],
)
def test_efficientpose_with_its_joints_is_as_large_as_was_counted_apart(size, joints, parameters, macs, without_zeros):
    graph = entry(f"efficientpose-{size}").graph
    *others, last = graph.nodes
    last = Node(last.name, Full(1, 1, "none", "bias", joints), last.reads)
    found = total(count(Graph("pose", (*others, last)), 256, 256))
    assert printed(found.parameters, 1e6, parameters) == parameters
    assert printed(found.macs, 1e9, macs) == printed(float(macs), 1, macs)
    assert printed(found.macs_without_zeros, 1e9, without_zeros) == printed(float(without_zeros), 1, without_zeros)


@pytest.mark.parametrize(("head", "more"), [("64-64", 134), ("96-96", 520)])
def test_efficientpose_s_wide_heads_cost_more_than_its_slim_one(head, more):
    slim, wide = (
        sum(row.macs for row in count(entry(name).graph, 256, 256) if row.kind == "transposed")
        for name in ("efficientpose-a", f"efficientpose-a-{head}")
    )
    assert round((wide - slim) / 1e6) == more


def decoder(block, **words):
    """Decoders of the authors' code that are in no table, from their 7x7 map of 1024 channels."""
    builder = GraphBuilder("decoder", 1024)
    rows = []
    for number, outputs in enumerate((512, 256, 128, 64, 32)):
        rows.append({block: {"name": f"d{number}", "outputs": outputs, **words}})
        if block != "transposed":
            rows.append({"upsample": {"name": f"u{number}"}})
    add_rows(builder, [*rows, {"conv": {"name": "last", "outputs": 1}}], "rows")
    return total(count(builder.graph(), 7, 7))


@pytest.mark.parametrize(
    ("block", "kernel", "weights", "macs"),
    [
        ("transposed", 3, "6.285", "4.626"),
        ("transposed", 7, "34.22", "25.18"),
        ("conv", 3, "6.285", "1.158"),
        ("conv", 7, "34.22", "6.296"),
        ("conv", 9, "56.57", "10.41"),
        ("separable", 3, "0.716", "0.144"),
        ("separable", 5, "0.748", "0.169"),
        ("separable", 7, "0.796", "0.206"),
    ],
)
def test_other_kernels_of_the_decoders_are_counted_as_well(block, kernel, weights, macs):
    found = decoder(block, kernel=kernel)
    assert (printed(found.weights, 1e6, weights), printed(found.macs, 1e9, macs)) == (weights, macs)


def test_maps_at_once_are_those_worked_out_by_hand():
    # 2 x 8 x 8 answered; 2 x 4 x 4 beside the skip; 2 x 8 x 8 again, and a sum of the same size.
    builder = GraphBuilder("skip")
    first = builder.add("a", Full(1, outputs=2))
    builder.add("b", Full(3, 2, outputs=2))
    up = builder.add("c", Upsample())
    builder.add("d", Add(), (up, first))
    assert peak_values(builder.graph(), 8, 8) == max(128, 128 + 32 + 128, 128 + 128 + 128)


@pytest.mark.parametrize("name", ["litedepth", "fastdepth-pruned", "resnet-18-upproj", "mobilenetv3-rfdb"])
def test_maps_at_once_are_those_that_following_the_graph_keeps(name):
    class Map:
        """A map that knows no more than its size."""

        def __init__(self, values):
            self.values = values
            alive.add(self)

    graph, alive, most = entry(name).graph, weakref.WeakSet(), []

    def compute(node, _read):
        side = int(64 * graph.scales[node.name])
        answer = Map(graph.channels[node.name] * side * side)
        most.append(sum(each.values for each in alive))
        return answer

    picture = Map(3 * 64 * 64)
    alive.remove(picture)
    follow(graph, compute, picture)
    assert peak_values(graph, 64, 64) == max(most)


def test_a_receptive_field_is_the_one_worked_out_by_hand():
    # Three 3x3 with strides 2, 1, 2 see 3, then 2 * 2 more, then 2 * 2 more; doubled, a 5x5 sees 4 * 2 more.
    builder = GraphBuilder("chain")
    for number, stride in enumerate((2, 1, 2)):
        builder.add(f"c{number}", Full(3, stride, outputs=2))
    builder.add("up", Upsample())
    builder.add("last", Full(5, outputs=1))
    assert [row.field for row in count(builder.graph(), 16, 16)] == [3, 7, 11, 11, 19]


def test_a_receptive_field_is_where_a_changed_pixel_is_felt():
    # Weights are ones and activations let everything through, so whatever reaches an answer changes it.
    from fastdepth_ros.network.plain import evaluate

    builder = GraphBuilder("ones", 1)
    builder.add("a", Full(5, 2, "none", "none", 1))
    builder.add("b", Full(3, 2, "none", "none", 1))
    builder.add("u", Upsample())
    builder.add("c", Full(3, 1, "none", "none", 1))
    graph = builder.graph()
    weights = {name: np.ones(shape) for name, shape in graph.weight_shapes().items()}
    *_, last = count(graph, 64, 64)
    felt = []
    for column in range(64):
        picture = np.zeros((1, 64, 64))
        picture[0, :, column] = 1
        felt.append(evaluate(graph, weights, picture)[0, 16] != 0)
    widest = max(np.flatnonzero(answer).size for answer in np.array(felt).T)
    assert widest <= last.field < widest + 4  # a doubled map repeats pixels, so some answers see less
