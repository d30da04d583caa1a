"""The torch module of a graph computes what plain NumPy computes, before and after folding."""

import numpy as np
import pytest
from made_weights import narrowed, random_graph_weights

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.errors import NetworkError, WeightsError  # noqa: E402
from fastdepth_ros.network import PRUNED  # noqa: E402
from fastdepth_ros.network.builder import GraphBuilder  # noqa: E402
from fastdepth_ros.network.entries import entry, names  # noqa: E402
from fastdepth_ros.network.fastdepth import graph_of  # noqa: E402
from fastdepth_ros.network.graph import Graph  # noqa: E402
from fastdepth_ros.network.kinds import Full  # noqa: E402
from fastdepth_ros.network.plain import evaluate  # noqa: E402
from fastdepth_ros.training.graph_network import GraphNetwork, folded_graph, graph_from_arrays  # noqa: E402
from fastdepth_ros.training.network import FastDepth  # noqa: E402


@pytest.mark.parametrize("name", names())
@pytest.mark.parametrize("times", [8, pytest.param(1, marks=pytest.mark.slow)], ids=["narrowed", "whole"])
def test_a_network_answers_as_plain_numpy(name: str, times: int) -> None:
    graph = narrowed(entry(name).graph, times)
    arrays = random_graph_weights(graph)
    picture = np.random.default_rng(1).random((3, 32, 64), np.float32)
    expected = evaluate(graph, arrays, picture.astype(np.float64))
    with torch.no_grad():
        found, _ = graph_from_arrays(graph, arrays)(torch.from_numpy(picture)[None])
    assert np.ptp(expected) > 0, "the comparison would say nothing"
    assert np.abs(found[0].numpy() - expected).max() < 1e-3 * np.ptp(expected)


@pytest.mark.parametrize(
    "name", ["litedepth", "mobilenetv3-rfdb", "efficientpose-a", "mobilenet-nnconv5dw-skipconcat", "mobilenetv3-unet"]
)
def test_folded_arrays_answer_as_the_trained_module(name: str) -> None:
    torch.manual_seed(0)
    graph = entry(name).graph
    model = GraphNetwork(graph)
    with torch.no_grad():
        model(torch.rand(4, 3, 64, 64))  # so that the running statistics are not the initial ones
        model.eval()
        x = torch.rand(1, 3, 64, 96)
        expected, _ = model(x)
    arrays = folded_graph(model)
    graph.check_weights(arrays)
    found = evaluate(graph, arrays, x[0].double().numpy())
    assert np.abs(found - expected[0].numpy()).max() < 1e-3 * np.ptp(found)


def test_fastdepth_s_parameters_are_its_graph_s() -> None:
    torch.manual_seed(0)
    old, new = FastDepth(PRUNED), GraphNetwork(graph_of(PRUNED))
    new.load_state_dict(old.state_dict())
    x = torch.rand(2, 3, 64, 32)
    with torch.no_grad():
        half, _ = old.eval()(x)
        whole, maps = new.eval()(x, keep=["conv5.pw"])
    torch.testing.assert_close(whole, half.repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert maps["conv5.pw"].shape == (2, 256, 8, 4)


@pytest.mark.parametrize("name", ["resnet-18-upconv", "mobilenet-deconv5", "lite0-nnconv5dw", "litedepth"])
def test_every_parameter_of_a_network_learns(name: str) -> None:
    torch.manual_seed(0)
    model = GraphNetwork(entry(name).graph)
    answer, _ = model(torch.rand(2, 3, 64, 64))
    assert answer.mean() > 0.5, "the last convolution begins with an answer"
    (answer * torch.rand_like(answer)).sum().backward()
    still = [name for name, parameter in model.named_parameters() if not parameter.grad.abs().sum() > 0]
    assert not still


def test_layers_whose_names_torch_cannot_tell_apart_are_refused() -> None:
    builder = GraphBuilder("twins")
    builder.add("a.b", Full(outputs=2))
    builder.add("a_b", Full(outputs=2))
    graph: Graph = builder.graph()
    with pytest.raises(NetworkError, match=r"layer a_b: torch cannot tell its name from another's"):
        GraphNetwork(graph)


def test_weights_of_another_network_are_refused() -> None:
    graph = entry("litedepth").graph
    with pytest.raises(WeightsError, match=r"not of litedepth"):
        graph_from_arrays(graph, random_graph_weights(entry("lite0-nnconv5dw").graph))
