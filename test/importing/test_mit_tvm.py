"""MIT's compiled Jetson files: written here in TVM's formats, as its compiler of 2019 lays them out, and read back."""

import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from made_weights import random_weights

from fastdepth_ros.cli import main
from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing import ndarray_list, read_weights
from fastdepth_ros.importing.reading import read_here
from fastdepth_ros.network import FULL, NETWORKS, PRUNED
from fastdepth_ros.runtime.bundle import Bundle


def write_arrays(path, arrays):
    """Output of save_param_dict of 2019, byte by byte."""

    def text(name):
        return struct.pack("<Q", len(name)) + name.encode()

    out = struct.pack("<QQQ", 0xF7E58D4F05049CB7, 0, len(arrays)) + b"".join(map(text, arrays))
    out += struct.pack("<Q", len(arrays))
    for array in arrays.values():
        out += struct.pack("<QQiiiBBH", 0xDD5E40F096B4A13F, 0, 1, 0, array.ndim, 2, 8 * array.itemsize, 1)
        out += struct.pack(f"<{array.ndim}q", *array.shape) + struct.pack("<q", array.nbytes) + array.tobytes()
    path.write_bytes(out)


class GraphWriter:
    """The graph runtime's JSON, node by node."""

    def __init__(self):
        self.nodes, self.shapes, self.arrays = [], [], {}

    def constant(self, array):
        name = f"p{len(self.arrays)}"
        self.arrays[name] = np.ascontiguousarray(array, np.float32)
        return self.null(name, array.shape)

    def null(self, name, shape):
        self.nodes.append({"op": "null", "name": name, "inputs": []})
        self.shapes.append(list(shape))
        return len(self.nodes) - 1

    def call(self, function, inputs, shape):
        attrs = {"func_name": function, "flatten_data": "0", "num_inputs": str(len(inputs)), "num_outputs": "1"}
        inputs = [[i, 0, 0] for i in inputs]
        self.nodes.append({"op": "tvm_op", "name": f"{function}_node", "attrs": attrs, "inputs": inputs})
        self.shapes.append(list(shape))
        return len(self.nodes) - 1

    def json(self):
        count = len(self.nodes)
        return {
            "nodes": self.nodes,
            "arg_nodes": [i for i, node in enumerate(self.nodes) if node["op"] == "null"],
            "heads": [[count - 1, 0, 0]],
            "node_row_ptr": list(range(count + 1)),
            "attrs": {"shape": ["list_shape", self.shapes], "dltype": ["list_str", ["float32"] * count]},
        }


def packed(weight, block):
    """ARM's packed order (O/o, I, row, column, o), or the plain one where ``block`` does not divide."""
    if len(weight) % block:
        return weight
    outputs, inputs, rows, columns = weight.shape
    return weight.reshape(outputs // block, block, inputs, rows, columns).transpose(0, 2, 3, 4, 1)


class Gpu:
    """NNVM's names, plain weights, batch normalisation folded into weights and a summand."""

    def convolution(self, graph, value, weight, bias, activation, shape):
        arrays = [graph.constant(weight), graph.constant(bias.reshape(-1, 1, 1))]
        return graph.call(f"fuse_conv2d_broadcast_add_{activation}_{len(graph.nodes)}", [value, *arrays], shape)

    def upsampling(self, graph, value, skip, shape):
        inputs = [value] if skip is None else [value, skip]
        return graph.call(f"fuse_upsampling{'' if skip is None else '_elemwise_add'}", inputs, shape)


class Cpu(Gpu):
    """Relay's names and ARM's packed weights; batch normalisation still a factor and a summand."""

    def convolution(self, graph, value, weight, bias, activation, shape):
        scale = np.linspace(0.5, 2, len(weight), dtype=np.float32)
        weight = packed(weight / scale[:, None, None, None], 8)
        arrays = [graph.constant(weight), graph.constant(scale.reshape(1, -1, 1, 1)), graph.constant(bias)]
        name = "clip" if activation == "clip" else "nn_relu"
        return graph.call(f"fused_nn_conv2d_multiply_add_{name}_{len(graph.nodes)}", [value, *arrays], shape)

    def upsampling(self, graph, value, skip, shape):
        value = graph.call("fused_nn_upsampling", [value], shape)
        return value if skip is None else graph.call("fused_add", [value, skip], shape)


class Apart(Gpu):
    """Nothing fused: a node for the convolution, one for the summand, one for the activation."""

    def convolution(self, graph, value, weight, bias, activation, shape):
        value = graph.call("fuse_conv2d", [value, graph.constant(weight)], shape)
        value = graph.call("fuse_broadcast_add", [value, graph.constant(bias.reshape(-1, 1, 1))], shape)
        return graph.call(f"fuse_{activation}", [value], shape)


def write_files(folder, network, weights, style, *, without_skip=None, swapped=None):
    """deploy_graph.json and deploy_param.params of a network.

    ``without_skip`` leaves out a decoder block's skip, ``swapped`` gives a convolution the other activation.
    """
    graph, side, answers = GraphWriter(), 224, []
    value = graph.null("0", (1, 3, side, side))
    for block in [None, *network.encoder_blocks, *network.decoder_blocks, ""]:
        for conv in (
            [network.first] if block is None else [network.last] if block == "" else [block.depthwise, block.pointwise]
        ):
            side //= conv.stride
            clipped = (conv.activation == "relu6") != (conv.name == swapped)
            arrays = weights[f"{conv.name}.weight"], weights[f"{conv.name}.bias"]
            value = style.convolution(
                graph, value, *arrays, "clip" if clipped else "relu", (1, conv.outputs, side, side)
            )
        if block and block.upsample:
            side *= 2
            number = network.decoder_blocks.index(block) + 1
            skip = None if block.skip is None or number == without_skip else answers[block.skip]
            value = style.upsampling(graph, value, skip, (1, block.pointwise.outputs, side, side))
        answers.append(value)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "deploy_graph.json").write_text(json.dumps(graph.json()))
    write_arrays(folder / "deploy_param.params", graph.arrays)
    return folder / "deploy_param.params"


@pytest.mark.parametrize("style", [Gpu, Cpu, Apart], ids=lambda style: style.__name__.lower())
def test_weights_come_back_as_they_went_in(tmp_path, style):
    weights = random_weights(PRUNED)
    network, arrays = read_weights(write_files(tmp_path, PRUNED, weights, style()))
    assert network == PRUNED
    for name, array in weights.items():
        np.testing.assert_allclose(arrays[name], array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_the_network_before_pruning_is_known_too(tmp_path):
    weights = random_weights(FULL)
    network, arrays = read_weights(write_files(tmp_path, FULL, weights, Cpu()))
    assert network == FULL
    np.testing.assert_allclose(arrays["conv7.pw.weight"], weights["conv7.pw.weight"], rtol=1e-5, atol=1e-6)


def test_a_table_that_shares_its_first_layers_with_another_is_known_by_the_others(tmp_path, monkeypatch):
    other = replace(PRUNED, name="narrower", encoder=(*PRUNED.encoder[:7], 100, *PRUNED.encoder[8:]))
    monkeypatch.setattr("fastdepth_ros.importing.tables.NETWORKS", {"narrower": other, **NETWORKS})
    for network in (PRUNED, other):
        file = write_files(tmp_path / network.name, network, random_weights(network), Cpu())
        assert read_here(file)[0] == network


def test_the_command_makes_a_bundle_of_them(tmp_path):
    weights = random_weights(PRUNED)
    file = write_files(tmp_path / "tx2_gpu_mobilenet_nnconv5dw_skipadd_pruned", PRUNED, weights, Gpu())
    assert main(["import", str(file), "--out", str(tmp_path / "mine")]) == 0
    bundle = Bundle.open(tmp_path / "mine")
    np.testing.assert_array_equal(bundle.weights()["conv0.weight"], weights["conv0.weight"])


def test_arrays_that_todays_tvm_wrote_are_read(tmp_path):
    tvm = pytest.importorskip("tvm")
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([1, 2], np.int64), "": np.float16([3])}
    (tmp_path / "x.params").write_bytes(
        tvm.runtime.save_param_dict({k: tvm.runtime.tensor(v) for k, v in arrays.items()})
    )
    read = ndarray_list.read(tmp_path / "x.params")
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype == array.dtype
        np.testing.assert_array_equal(read[name], array)


def test_a_layer_of_another_shape_is_named(tmp_path):
    weights = random_weights(PRUNED)
    weights["conv5.pw.weight"] = weights["conv5.pw.weight"][:-1]
    weights["conv5.pw.bias"] = weights["conv5.pw.bias"][:-1]
    with pytest.raises(WeightsError, match=r"conv5\.pw .*\(255, 144, 1, 1\).*\(256, 144, 1, 1\)"):
        read_weights(write_files(tmp_path, PRUNED, weights, Gpu()))


def test_a_missing_skip_is_named(tmp_path):
    with pytest.raises(WeightsError, match="decode_conv3 lacks the skip from conv3"):
        read_weights(write_files(tmp_path, PRUNED, random_weights(PRUNED), Gpu(), without_skip=3))


def test_another_activation_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"decode_conv2\.dw .*activations \['relu6'\]"):
        read_weights(write_files(tmp_path, PRUNED, random_weights(PRUNED), Gpu(), swapped="decode_conv2.dw"))


def test_a_graph_that_ends_early_is_told(tmp_path):
    file = write_files(tmp_path, PRUNED, random_weights(PRUNED), Gpu())
    graph = json.loads((tmp_path / "deploy_graph.json").read_text())
    graph["nodes"] = graph["nodes"][:-1]
    (tmp_path / "deploy_graph.json").write_text(json.dumps(graph))
    with pytest.raises(WeightsError, match="37 convolutions.*decode_conv6 is not there"):
        read_weights(file)


def test_a_network_that_is_not_fastdepth_is_told(tmp_path):
    weights = random_weights(PRUNED)
    weights["conv0.weight"] = np.repeat(weights["conv0.weight"], 4, axis=0)
    weights["conv0.bias"] = np.repeat(weights["conv0.bias"], 4)
    with pytest.raises(WeightsError, match="64 channels"):
        read_weights(write_files(tmp_path, PRUNED, weights, Gpu()))


def test_the_graph_has_to_lie_beside_the_arrays(tmp_path):
    file = write_files(tmp_path, PRUNED, random_weights(PRUNED), Gpu())
    (tmp_path / "deploy_graph.json").unlink()
    with pytest.raises(WeightsError, match=r"deploy_graph\.json.*missing"):
        read_weights(file)


@pytest.mark.parametrize("length", [0, 7, 40, 5000, -1])
def test_arrays_that_were_cut_short_are_refused(tmp_path, length):
    file = write_files(tmp_path, PRUNED, random_weights(PRUNED), Gpu())
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(WeightsError, match="cannot be read as a list of TVM arrays"):
        read_weights(file)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"nodes": [{"op": "tvm_op"}]}', "\xff"])
def test_a_damaged_graph_is_refused(tmp_path, text):
    file = write_files(tmp_path, PRUNED, random_weights(PRUNED), Gpu())
    (tmp_path / "deploy_graph.json").write_text(text, encoding="latin-1")
    with pytest.raises(WeightsError, match="cannot be read as a graph"):
        read_weights(file)


def test_another_file_with_the_same_suffix_is_refused(tmp_path):
    (tmp_path / "deploy_graph.json").write_text("{}")
    (tmp_path / "deploy_param.params").write_bytes(bytes(64))
    with pytest.raises(WeightsError, match="no list of TVM arrays"):
        read_weights(tmp_path / "deploy_param.params")
