"""Hostile input is taken or refused, and does nothing else: a short run of the fuzzer, and what it once found.

`make fuzz MINUTES=20` is the long run. A case that takes over a second is told there; no test looks at a clock.
"""

from __future__ import annotations

import json
import mmap
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
import torch_files
from anchor_messages import cloud_of, depth_image_of, serialized, xyz_of
from rosbags.rosbag2 import StoragePlugin
from safetensors.numpy import save
from slowly import examples

from fastdepth_ros.codec import rvl
from fastdepth_ros.runtime.gpu import program as gpu
from hostile import meter, mutate, replay
from hostile.fuzz import Hand, Keeper, run_cases
from hostile.keep import KEPT
from hostile.seeds import archives, bags, camera_infos, cdr, flatbuffers, images, jpegs, pngs, protobuf, tiny, videos
from hostile.target import Target
from hostile.targets import ALL, bundles, cameras, networks, programs, settings
from hostile.worker import Runner, count_of

KINDS = ("message", "file", "setting")
CASES = {"message": examples(200), "file": examples(100), "setting": examples(100)}
KEPT_FILES = sorted(path for path in KEPT.glob("*/*") if path.is_file())


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_inputs_are_taken_or_refused_and_nothing_else(kind: str, tmp_path: Path) -> None:
    chosen = [target.name for target in ALL.values() if target.kind == kind]
    keeper = run_cases(CASES[kind], chosen, "make test", tmp_path / "out", tmp_path / "work")
    found = {key for key in keeper.findings if key[1] != "slow"}
    assert not found, f"replay them: {[str(keeper.files.get(key)) for key in found]}"
    for name, row in keeper.rows.items():
        assert row.cases == count_of(ALL[name], CASES[kind]), name
        assert any(verdict.startswith("refused") for verdict in row.verdicts) or name == "sequence", name


@pytest.fixture(scope="module")
def verdicts() -> dict[Path, str]:
    """Fates of all kept inputs now."""
    return replay.apart(KEPT_FILES)


@pytest.mark.parametrize("file", KEPT_FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_what_once_broke_something_does_not_any_more(file: Path, verdicts: dict[Path, str]) -> None:
    verdict = verdicts[file].removeprefix("slow ")
    assert verdict.startswith(replay.GOOD), verdict


def test_kept_inputs_are_small_and_belong_to_a_target() -> None:
    assert KEPT_FILES
    for file in KEPT_FILES:
        assert file.parent.name in ALL
        assert file.stat().st_size < 40_000


class Calm(random.Random):
    """Chooses no fault."""

    def random(self) -> float:
        return 0.99


def test_seeds_without_fault_are_accepted(tmp_path: Path) -> None:
    def verdict(name: str, data: bytes) -> str:
        return " ".join(Runner(ALL[name], tmp_path / name).run(data)).strip()

    calm = Calm(0)
    assert verdict("image", images.good_image()) == "accepted"
    assert verdict("camera_info", camera_infos.good()) == "accepted"
    for file in (*jpegs.plain(), pngs.SIGNATURE + b"".join(pngs.chunk(*each) for each in pngs._chunks(calm))):
        fields = [*cdr.header(calm), ("s", b"rgb8; jpeg compressed bgr8"), ("bytes", file)]
        assert verdict("compressed_image", cdr.write(fields)) == "accepted"
    assert verdict("manifest", json.dumps(bundles.MANIFEST_TREE).encode()) == "accepted"
    assert verdict("graph_manifest", json.dumps(bundles.GRAPH_TREE).encode()) == "accepted"
    assert verdict("module", json.dumps(bundles.DESCRIPTION_TREE).encode()) == "accepted"
    assert verdict("graph_program", json.dumps(programs.PROGRAM_TREE).encode()) == "accepted"
    good = {gpu.PROGRAM: json.dumps(programs.LAUNCHES)}
    assert verdict("gpu_program", save(programs.ARRAYS, good)) == "accepted"
    assert verdict("graph", json.dumps(networks.GRAPH_TREE).encode()) == "accepted"
    assert verdict("entry", networks.TEXT.encode()) == "accepted"
    assert verdict("weights", bundles.DATA) == "accepted"
    assert verdict("npz", archives._archive(calm, list(archives._arrays().items()))) == "accepted"
    assert verdict("pth", torch_files.state_dict_file(tiny.weights())) == "accepted"
    assert verdict("tflite", flatbuffers.write(flatbuffers.model(False, 38))) == "accepted"
    assert verdict("onnx", protobuf.write(protobuf._models()[0])) == "accepted"
    for plugin in StoragePlugin:
        for files in bags._seeds(plugin):
            assert verdict("recording", bags._case(files)) == "accepted"
    assert verdict("parameters", b"{}") == "accepted"
    for text in (b"y" + cameras.YAML.encode(), b"y" + cameras.KALIBR.encode(), b"i" + cameras.INI.encode()):
        assert verdict("calibration", text) == "accepted"
    for text in (b"c" + cameras.ROWS.encode(), b"y" + cameras.LISTED.encode()):
        assert verdict("anchor_file", text) == "accepted"
    assert verdict("rvl", bytes(12) + b"\x20\0\0\0\x18\0\0\0" + rvl.encode(cameras.PIXELS)) == "accepted"
    points = np.array([[x / 5, y / 5, 3.0] for x in range(-3, 4) for y in range(-3, 4)])
    measured = {"anchors": cloud_of(xyz_of(points)), "anchor_depth": depth_image_of(np.full((8, 8), 2, np.float32))}
    for source, message in measured.items():
        message.header.frame_id = "camera"
        assert verdict("anchors", mutate.pack(source.encode(), b"", serialized(message))) == "accepted", source
    assert verdict("power_file", settings.PROFILES.encode()) == "accepted"
    if "video" in ALL:  # PyAV is there
        for transport in videos.TRANSPORTS:
            for codec in videos.ENCODERS:
                case = mutate.pack(transport.encode(), *videos.good(transport, codec))
                assert verdict("video", case) == "accepted", (transport, codec)


def fresh(size: int) -> mmap.mmap:
    """Memory in use that nobody had before: malloc may give what it kept of others' [bytes]."""
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    np.frombuffer(memory, np.uint8).fill(1)
    return memory


def test_what_a_case_took_to_be_made_is_not_its_own(tmp_path: Path) -> None:
    """A case of a few bytes was told to cost 1.3 GB: those that were mended until it was so short."""
    large = meter.STEP * 4

    def make() -> bytes:
        return fresh(large)[:3]

    runner = Runner(Target("made", "file", lambda _: make(), lambda _: len), tmp_path)
    runner.run(make(), runner.start())
    assert runner.largest < large // 2
    eager = Runner(Target("eager", "file", lambda _: b"", lambda _: lambda _: fresh(large)), tmp_path)
    eager.run(b"", eager.start())
    assert eager.largest > large // 2


@pytest.mark.parametrize(("name", "held", "killed"), [("npz", 60, True), ("import", 60, False), ("import", 900, True)])
def test_a_case_in_a_process_of_its_own_may_wait_for_a_processor(
    name: str, held: float, killed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = Hand(0, tmp_path, list(ALL), [name], Keeper({}, tmp_path), "seed")
    ends: list[str] = []
    monkeypatch.setattr(hand, "_kill", ends.append)
    hand._board.begin(1, list(ALL).index(name) + 1, time.monotonic() - held, meter.run_delay(os.getpid()), 0.0, b"")
    hand._judge(os.getpid())
    assert ends == (["hang"] if killed else [])
