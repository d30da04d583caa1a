"""The TX2 model against what MIT measured and published."""

import json
from dataclasses import replace

import pytest

from fastdepth_ros.cli import main
from fastdepth_ros.errors import SettingError
from fastdepth_ros.estimate.latency import BOARDS, PUBLISHED, estimate, interpolate, measured, upsampling_cost
from fastdepth_ros.estimate.shapes import anatomy
from fastdepth_ros.network import FULL, NETWORKS, PRUNED, Network

IN_MAX_Q = {"tx2-cpu": 64.0, "tx2-gpu": 8.2}
"""The pruned network's published milliseconds in max-Q, which nothing in the model was fitted to."""

SHAPE = ("in_channels", "out_channels", "height", "width", "kernel", "stride")
"""Names of a shape's numbers in the reference file."""


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("board", BOARDS)
def test_published_totals_come_out_within_15_percent(board, name):
    assert estimate(NETWORKS[name], board).total == pytest.approx(PUBLISHED[board][name], rel=0.15)


@pytest.mark.parametrize("board", BOARDS)
def test_a_total_that_the_model_has_not_seen_comes_out_within_20_percent(board):
    for unseen in NETWORKS:
        seen = [name for name in NETWORKS if name != unseen]
        parts = anatomy(NETWORKS[unseen])
        total = sum(measured(board)[shape] for _, shape in parts.convolutions)
        total += parts.upsampled * upsampling_cost(board, seen)
        assert total == pytest.approx(PUBLISHED[board][unseen], rel=0.20), unseen


@pytest.mark.parametrize("board", BOARDS)
def test_max_q_comes_out_of_the_clocks(board):
    assert estimate(PRUNED, board, mode="max-q").total == pytest.approx(IN_MAX_Q[board], rel=0.15)


@pytest.mark.parametrize("board", BOARDS)
def test_every_convolution_of_both_networks_was_measured(board):
    for network in (PRUNED, FULL):
        answer = estimate(network, board)
        assert all(layer.measured for layer in answer.layers)
        assert [layer.name for layer in answer.layers] == [conv.name for conv in network.convolutions]


@pytest.mark.parametrize("board", BOARDS)
def test_a_convolution_is_interpolated_from_the_others(board):
    times = measured(board)
    guessed = {shape: interpolate(shape, {s: t for s, t in times.items() if s != shape}) for shape in times}
    errors = sorted(abs(guessed[shape] / times[shape] - 1) for shape in times)
    assert errors[len(errors) // 2] < 0.12
    assert sum(guessed.values()) == pytest.approx(sum(times.values()), rel=0.05)


def test_a_measured_convolution_is_interpolated_to_its_own_time():
    times = measured("tx2-cpu")
    for shape in times:
        assert interpolate(shape, times) == pytest.approx(times[shape], rel=0.01)


@pytest.mark.parametrize("board", BOARDS)
def test_a_network_between_two_measured_ones_takes_a_time_between_theirs(board):
    between = Network(
        "between",
        tuple((a + b) // 2 for a, b in zip(PRUNED.encoder, FULL.encoder, strict=True)),
        tuple((a + b) // 2 for a, b in zip(PRUNED.decoder, FULL.decoder, strict=True)),
    )
    answer = estimate(between, board)
    assert not any(layer.measured for layer in answer.layers if layer.name != "conv0" and ".pw" in layer.name)
    assert estimate(PRUNED, board).total < answer.total < estimate(FULL, board).total


def test_a_larger_picture_takes_longer_in_proportion():
    small, large = (estimate(PRUNED, "tx2-cpu", height=side, width=side) for side in (224, 448))
    assert large.total / small.total == pytest.approx(4, rel=0.25)


def test_macs_are_those_of_the_network_table():
    assert sum(shape.macs for _, shape in anatomy(PRUNED).convolutions) == PRUNED.macs()
    assert (
        anatomy(replace(PRUNED, skips=())).upsampled
        == 16 * 224**2 + 56 * 112**2 + 120 * 56**2 + 256 * 28**2 + 200 * 14**2
    )


def test_an_unknown_board_or_mode_is_told():
    with pytest.raises(SettingError, match="tx2-cpu, tx2-gpu"):
        estimate(PRUNED, "toaster")
    with pytest.raises(SettingError, match="max-n, max-q"):
        estimate(PRUNED, "tx2-gpu", mode="warp")


def test_the_table_holds_what_the_tuning_logs_say(reference):
    file = reference / "tx2" / "layer_latency.json"
    if not file.is_file():
        pytest.skip(f"no {file}")
    for board, layers in json.loads(file.read_text())["targets"].items():
        logged = {(e["kind"].replace("conv", "full"), *(e[key] for key in SHAPE)): e["milliseconds"] for e in layers}
        kept = {
            (s.kind, s.inputs, s.outputs, s.height, s.width, s.kernel, s.stride): ms
            for s, ms in measured(board).items()
        }
        assert kept == logged


def test_the_command_says_what_is_measured_and_what_is_not(capsys, bundle):
    assert main(["estimate", "--board", "tx2-gpu", "fastdepth-pruned", "--layers"]) == 0
    said = capsys.readouterr().out
    assert "decode_conv5.pw" in said
    assert "38 measured, 0 interpolated" in said
    assert main(["estimate", "--board", "tx2-cpu", str(bundle.path)]) == 0
    assert "total" in capsys.readouterr().out
