"""Weights as people have them: every format gives the same bundle, and a wrong file says what is wrong with it."""

import pickle
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_weights import random_weights
from safetensors.numpy import save

from fastdepth_ros.cli import main
from fastdepth_ros.errors import WeightsError
from fastdepth_ros.importing import READERS, import_weights, read_weights
from fastdepth_ros.importing.apart import FOUND, _parsed
from fastdepth_ros.importing.layers import FileLayer, Norm, fold
from fastdepth_ros.importing.reading import read_here
from fastdepth_ros.network import FULL, NETWORKS, PRUNED, Network
from fastdepth_ros.runtime.bundle import Bundle

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent.parent / "compiler")]
import onnx_files  # noqa: E402
import plain  # noqa: E402
import torch_files  # noqa: E402

RNG = np.random.default_rng(0)


def random_norm(channels: int) -> Norm:
    gamma, beta, mean = (RNG.normal(size=channels).astype(np.float32) for _ in range(3))
    return Norm(gamma, beta, mean, RNG.uniform(0.5, 2.0, channels).astype(np.float32))


@pytest.fixture(scope="module")
def layers() -> list[FileLayer]:
    """The pruned network as it comes out of a training, with batch normalisation beside every convolution."""
    return [
        FileLayer(conv.name, RNG.normal(size=conv.weight_shape).astype(np.float32), None, random_norm(conv.outputs))
        for conv in PRUNED.convolutions
    ]


@pytest.fixture(scope="module")
def expected(layers: list[FileLayer]) -> dict[str, np.ndarray]:
    """These layers as a bundle has them."""
    arrays = {}
    for layer in layers:
        arrays[f"{layer.name}.weight"], arrays[f"{layer.name}.bias"] = fold(layer)
    return arrays


def mit_state_dict(layers: list[FileLayer], table: Network = PRUNED) -> dict[str, np.ndarray]:
    """Named as in MIT's checkpoints: Sequential inside Sequential, numbers for names."""
    names = [("conv0.0", "conv0.1")]
    for i in range(1, len(table.encoder)):
        names += [(f"conv{i}.0", f"conv{i}.1"), (f"conv{i}.3", f"conv{i}.4")]
    for i in range(1, 6):
        names += [(f"decode_conv{i}.{j}.0", f"decode_conv{i}.{j}.1") for j in (0, 1)]
    names.append(("decode_conv6.0", "decode_conv6.1"))
    state = {}
    for (conv, bn), layer in zip(names, layers, strict=True):
        assert layer.norm is not None
        state[f"{conv}.weight"] = layer.weight
        state[f"{bn}.weight"], state[f"{bn}.bias"] = layer.norm.gamma, layer.norm.beta
        state[f"{bn}.running_mean"], state[f"{bn}.running_var"] = layer.norm.mean, layer.norm.variance
        state[f"{bn}.num_batches_tracked"] = np.array(7, np.int64)
    return state


def same(found: dict[str, np.ndarray], expected: dict[str, np.ndarray]) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array, err_msg=name)


def test_folding_batch_normalisation_does_not_change_what_is_computed() -> None:
    layer = FileLayer("one", RNG.normal(size=(5, 3, 1, 1)), RNG.normal(size=5), random_norm(5))
    assert layer.norm is not None
    assert layer.bias is not None
    x = RNG.normal(size=3)
    plain = layer.weight[:, :, 0, 0] @ x + layer.bias
    expected = layer.norm.gamma * (plain - layer.norm.mean) / np.sqrt(layer.norm.variance + 1e-5) + layer.norm.beta
    weight, bias = fold(layer)
    np.testing.assert_allclose(weight[:, :, 0, 0] @ x + bias, expected, rtol=1e-5)


@pytest.mark.parametrize(("under", "suffix"), [(None, ".pth"), ("state_dict", ".pt"), ("model", ".pth.tar")])
def test_a_torch_state_dict_is_read_without_torch(
    layers: list[FileLayer], expected: dict[str, np.ndarray], tmp_path: Path, under: str | None, suffix: str
) -> None:
    file = tmp_path / f"checkpoint{suffix}"
    file.write_bytes(torch_files.state_dict_file(mit_state_dict(layers), under))
    table, found = read_weights(file)
    assert table == PRUNED
    same(found, expected)


@pytest.mark.parametrize("legacy", [True, False], ids=["file of 2019", "zip"])
def test_a_whole_pickled_module_as_mit_saved_it_is_read(
    layers: list[FileLayer], expected: dict[str, np.ndarray], tmp_path: Path, legacy: bool
) -> None:
    torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")
    state = mit_state_dict(layers)
    module = torch.nn.Module()
    for name, array in state.items():
        *path, last = name.split(".")
        at = module
        for part in path:
            if part not in at._modules:
                at.add_module(part, torch.nn.Sequential())
            at = at._modules[part]
        value = torch.from_numpy(array.copy())
        if last in ("weight", "bias"):
            at.register_parameter(last, torch.nn.Parameter(value))
        else:
            at.register_buffer(last, value)
    optimiser = torch.optim.SGD(module.parameters(), 0.1, momentum=0.9)
    checkpoint = {"epoch": 3, "arch": "ours", "model": module, "optimizer": optimiser, "args": {1, 2}}
    torch.save(checkpoint, tmp_path / "model_best.pth.tar", _use_new_zipfile_serialization=not legacy)
    same(read_weights(tmp_path / "model_best.pth.tar")[1], expected)


def test_a_pickle_that_would_run_a_program_does_not(tmp_path: Path) -> None:
    trace = tmp_path / "it-ran"

    class Hostile:
        def __reduce__(self) -> tuple[object, tuple[str, str]]:
            return (open, (str(trace), "w"))

    opcodes = pickle.dumps({"state_dict": {"conv0.weight": Hostile()}}, protocol=2)[2:-1]
    eval_ = b"cbuiltins\neval\n(" + torch_files.text(f"open({str(trace)!r}, 'w')") + b"tR"
    for i, code in enumerate((opcodes, eval_)):
        file = tmp_path / f"hostile{i}.pth"
        file.write_bytes(torch_files.zip_file(code, {}))
        with pytest.raises(WeightsError):
            read_weights(file)
        (tmp_path / f"old{i}.pth").write_bytes(b"\x80\x02" + code + b".")
        with pytest.raises(WeightsError):
            read_weights(tmp_path / f"old{i}.pth")
    assert not trace.exists()


def test_a_tensor_beyond_its_storage_is_refused(tmp_path: Path) -> None:
    array = np.ones((16, 3, 3, 3), np.float32)
    opcodes = b"}(" + torch_files.text("conv0.weight") + torch_files.tensor("0", array) + b"u"
    (tmp_path / "short.pth").write_bytes(torch_files.zip_file(opcodes, {"0": array.ravel()[:-1]}))
    with pytest.raises(WeightsError, match="beyond its storage"):
        read_weights(tmp_path / "short.pth")


@pytest.mark.parametrize("folded", [True, False], ids=["folded", "with BatchNormalization"])
def test_an_onnx_model_is_read(
    layers: list[FileLayer], expected: dict[str, np.ndarray], tmp_path: Path, folded: bool
) -> None:
    nodes, tensors, at = [], {}, "image"
    for layer in layers:
        name = layer.name
        assert layer.norm is not None
        if folded:
            tensors |= {f"{name}.w": expected[f"{name}.weight"], f"{name}.b": expected[f"{name}.bias"]}
            nodes.append(onnx_files.node("Conv", [at, f"{name}.w", f"{name}.b"], f"{name}.out"))
        else:
            norm = layer.norm
            tensors |= {f"{name}.w": layer.weight, f"{name}.g": norm.gamma, f"{name}.o": norm.beta}
            tensors |= {f"{name}.m": norm.mean, f"{name}.v": norm.variance}
            nodes.append(onnx_files.node("Conv", [at, f"{name}.w"], f"{name}.conv"))
            inputs = [f"{name}.{part}" for part in ("conv", "g", "o", "m", "v")]
            nodes.append(onnx_files.node("BatchNormalization", inputs, f"{name}.out", epsilon=1e-5))
        nodes.append(onnx_files.node("Clip", [f"{name}.out"], f"{name}.relu"))
        at = f"{name}.relu"
    (tmp_path / "net.onnx").write_bytes(onnx_files.model(nodes, tensors))
    found = read_weights(tmp_path / "net.onnx")[1]
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_a_layer_that_does_not_fit_is_named(layers: list[FileLayer], tmp_path: Path) -> None:
    state = mit_state_dict(layers)
    state["conv3.3.weight"] = np.ones((7, 88, 1, 1), np.float32)
    (tmp_path / "other.pth").write_bytes(torch_files.state_dict_file(state))
    with pytest.raises(WeightsError, match=r"conv3\.pw \(conv3\.3 in the file\) has shape \(7, 88, 1, 1\)"):
        read_weights(tmp_path / "other.pth")
    short = {name: array for name, array in mit_state_dict(layers).items() if not name.startswith("decode_conv6")}
    (tmp_path / "short.pth").write_bytes(torch_files.state_dict_file(short))
    with pytest.raises(WeightsError, match="37 convolutions where the table has 38"):
        read_weights(tmp_path / "short.pth")
    with pytest.raises(WeightsError, match=r"conv0 .*\(16, 3, 3, 3\) where the table says \(32, 3, 3, 3\)"):
        read_weights(tmp_path / "short.pth", FULL)


@pytest.mark.parametrize("suffix", sorted(READERS))
def test_a_file_of_noise_is_refused_with_its_name(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"noise{suffix}"
    for data in (b"", b"noise" * 100, b"\x80\x02}.", b"PK\x03\x04" + bytes(50), b"\x1c\0\0\0TFL3" + bytes(range(200))):
        file.write_bytes(data)
        with pytest.raises(WeightsError):
            read_weights(file)
    with pytest.raises(WeightsError, match="no known format"):
        import_weights(Path(__file__), tmp_path / "bundle")
    with pytest.raises(WeightsError, match="no file"):
        import_weights(tmp_path / "nothing.npz", tmp_path / "bundle")


def test_the_int8_model_dequantised_answers_nearly_as_the_authors(reference: Path) -> None:
    table, arrays = read_weights(reference / "weights" / "fastdepth_224_int8.tflite")
    assert table == PRUNED
    rgb = np.load(reference / "mit_sample" / "rgb.npy").astype(np.float32)
    half = plain.depth(table, arrays, rgb * 255)
    expected = np.load(reference / "mit_sample" / "pred.npy").squeeze()
    assert np.sqrt(np.mean((half.repeat(2, 0).repeat(2, 1) - expected) ** 2)) <= 0.06


def test_the_command_writes_a_bundle_that_opens(
    expected: dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.savez(tmp_path / "weights.npz", **{name: array.astype(np.float16) for name, array in expected.items()})
    out = tmp_path / "mine"
    assert main(["import", str(tmp_path / "weights.npz"), "--out", str(out), "--name", "ours"]) == 0
    bundle = Bundle.open(out)
    assert bundle.manifest.name == "ours"
    assert bundle.manifest.network == PRUNED
    assert bundle.weights_sha256 in capsys.readouterr().out.replace("\n", "")
    np.testing.assert_array_equal(bundle.weights()["conv5.pw.bias"], expected["conv5.pw.bias"].astype(np.float16))
    assert main(["import", str(tmp_path / "nothing.npz"), "--out", str(out)]) == 2
    assert "nothing.npz is no file" in capsys.readouterr().err
    assert set(NETWORKS) == {"fastdepth-pruned", "fastdepth-full"}


@pytest.fixture
def narrower(monkeypatch: pytest.MonkeyPatch) -> Network:
    """A table before all others that shares its first layers with the pruned network."""
    other = replace(PRUNED, name="narrower", encoder=(*PRUNED.encoder[:7], 100, *PRUNED.encoder[8:]))
    monkeypatch.setattr("fastdepth_ros.importing.tables.NETWORKS", {"narrower": other, **NETWORKS})
    return other


@pytest.mark.parametrize("suffix", ["npz", "pth"])
def test_a_table_that_shares_its_first_layers_with_another_is_known_by_the_others(
    tmp_path: Path, narrower: Network, suffix: str
) -> None:
    for table in (PRUNED, narrower):
        file = tmp_path / f"{table.name}.{suffix}"
        if suffix == "npz":
            np.savez(file, **random_weights(table))
        else:
            layers = [
                FileLayer(conv.name, np.zeros(conv.weight_shape, np.float32), None, random_norm(conv.outputs))
                for conv in table.convolutions
            ]
            file.write_bytes(torch_files.state_dict_file(mit_state_dict(layers, table)))
        assert read_here(file)[0] == table


def test_what_fits_no_table_is_held_against_the_one_that_it_fits_best(tmp_path: Path, narrower: Network) -> None:
    weights = random_weights(narrower)
    weights["conv11.pw.weight"] = weights["conv11.pw.weight"][:-1]
    np.savez(tmp_path / "cut.npz", **weights)
    with pytest.raises(WeightsError, match=r"conv11\.pw"):
        read_here(tmp_path / "cut.npz")


@pytest.mark.usefixtures("narrower")
def test_the_answer_of_the_process_that_reads_is_known_by_its_layers() -> None:
    answer = FOUND + save(random_weights(PRUNED))
    assert _parsed(answer, None)[0] == PRUNED
    with pytest.raises(LookupError):
        _parsed(FOUND + save({"conv0.weight": np.zeros((5, 3, 3, 3), np.float32)}), None)
