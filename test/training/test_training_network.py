"""The torch module and the folded arrays compute the same."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is in requirements/train.txt")

from fastdepth_ros.importing import read_weights  # noqa: E402
from fastdepth_ros.network import FULL, PRUNED, Network, check_weights  # noqa: E402
from fastdepth_ros.training import losses  # noqa: E402
from fastdepth_ros.training.distill import Hints  # noqa: E402
from fastdepth_ros.training.network import FastDepth, channels, folded, from_arrays  # noqa: E402


@pytest.mark.parametrize("table", [PRUNED, FULL], ids=lambda table: table.name)
def test_folded_arrays_fit_the_table_and_answer_as_the_trained_module(table: Network) -> None:
    torch.manual_seed(0)
    model = FastDepth(table)
    with torch.no_grad():
        model(torch.rand(4, 3, 64, 64))  # so that the running statistics are not the initial ones
    model.eval()
    arrays = folded(model)
    check_weights(table, arrays)
    x = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        expected, maps = model(x)
        found, _ = from_arrays(table, arrays)(x)
    assert expected.shape == (2, 1, 32, 48)
    assert {name: map_.shape[1] for name, map_ in maps.items()} == channels(table)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)


def test_the_authors_weights_answer_as_the_authors_own_module(reference: Path) -> None:
    model = from_arrays(*read_weights(reference / "weights" / "fastdepth_pruned_fp16.npz"))
    rgb = np.load(reference / "mit_sample" / "rgb.npy").astype(np.float32)
    expected = np.load(reference / "mit_sample" / "pred.npy").squeeze()
    with torch.no_grad():
        half = model(torch.from_numpy(rgb).permute(2, 0, 1)[None])[0][0, 0].numpy()
    found = half.repeat(2, axis=0).repeat(2, axis=1)
    assert np.sqrt(np.mean((found - expected) ** 2)) < 0.005


def test_losses_of_a_few_pixels_are_those_worked_out_by_hand() -> None:
    depth = torch.tensor([[1.0, 2.0], [3.0, 9.0]])[None, None]
    truth = torch.tensor([[1.0, 1.0], [1.0, 1.0]])[None, None]
    mask = torch.tensor([[1.0, 1.0], [1.0, 0.0]])[None, None]
    assert losses.l1(depth, truth, mask).item() == pytest.approx((0 + 1 + 2) / 3)
    assert losses.log_l1(depth, truth, mask).item() == pytest.approx((np.log(2) + np.log(3)) / 3)
    # Both pixels of a step have to count: only the upper row across, only the left column down.
    assert losses.gradient(depth, truth, mask, scales=1).item() == pytest.approx(1 + 2)
    scaled = losses.log_gradient(10 * depth, 10 * truth, mask).item()
    assert scaled == pytest.approx(losses.log_gradient(depth, truth, mask).item(), rel=1e-4)
    assert losses.log_gradient(7 * truth, truth, mask).item() == pytest.approx(0, abs=1e-5)
    assert losses.l1(depth, truth, torch.zeros_like(mask)).item() == 0


def test_a_hint_is_1_for_an_adapter_that_knows_only_the_means() -> None:
    torch.manual_seed(0)
    teacher = torch.randn(4, 8, 6, 6) * 0.02 + torch.arange(8).reshape(1, 8, 1, 1)
    spread = teacher.var(dim=(0, 2, 3), correction=0).mean()
    means = (teacher.mean(dim=(0, 2, 3), keepdim=True) / spread.sqrt()).expand_as(teacher)
    assert losses.hint(means, teacher).item() == pytest.approx(1.0, rel=1e-3)
    assert losses.hint(teacher / spread.sqrt(), teacher).item() == pytest.approx(0.0, abs=1e-6)


def test_hints_compare_maps_of_different_channels_and_size() -> None:
    hints = Hints(PRUNED, FULL, [("conv5", "conv5"), ("decode_conv1", "decode_conv1")])
    with torch.no_grad():
        small, large = FastDepth(PRUNED)(torch.rand(2, 3, 32, 32))[1], FastDepth(FULL)(torch.rand(2, 3, 64, 64))[1]
    found = hints(small, large)
    assert found.shape == ()
    assert found.requires_grad
    assert torch.isfinite(found)
