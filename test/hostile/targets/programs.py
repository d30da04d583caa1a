"""Programs of graphs and of GPUs, pictures to learn from and states of a run, of strangers. Nothing is run."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import asdict
from functools import cache
from pathlib import Path
from random import Random

import cv2
import numpy as np
from safetensors.numpy import save

from fastdepth_ros.evaluation.dataset import open_source
from fastdepth_ros.network.graph import PICTURE, Graph, Node
from fastdepth_ros.network.kinds import Full
from fastdepth_ros.network.stored import to_json
from fastdepth_ros.pruning.store import read_arrays
from fastdepth_ros.runtime.gpu import program as gpu
from fastdepth_ros.runtime.graph_module import FORMAT, KERNELS, PROGRAM, WEIGHTS, Call, GraphModule, Program
from fastdepth_ros.runtime.module import tvm_version
from hostile import mutate
from hostile.seeds import archives, documents
from hostile.target import Target

CONTENT = {KERNELS: b"no library", WEIGHTS: np.arange(8, dtype="<f4").tobytes()}
PROGRAM_TREE = {
    "format": FORMAT,
    **asdict(
        Program(
            target="host",
            triple="",
            cpu="",
            needs=(),
            graph=to_json(Graph("tiny", (Node("only", Full(1, 1, "none", "none", 1), (PICTURE,)),))),
            height=32,
            width=32,
            answer=(1, 32, 32),
            numbers=16,
            tvm=tvm_version(),
            sha256={name: hashlib.sha256(content).hexdigest() for name, content in CONTENT.items()},
            calls=(Call("k", ("only",), (("arena", 0, 8), ("array", 0, 8))),),
        )
    ),
}
LAUNCHES = {
    "launches": [{"kernel": "k", "grid": [2, 1], "threads": 64, "arguments": [gpu.PICTURE, "map", "w", gpu.DEPTH]}],
    "maps": {"map": 9},
}
ARRAYS = {
    gpu.CUBIN: np.frombuffer(b"code", np.uint8),
    gpu.PTX: np.frombuffer(b"words", np.uint8),
    "w": np.ones(3, np.float32),
}
ABOUT = {"set": "a", "source": "b-0001", "intrinsics": {"fx": 9.0, "fy": 9.0, "cx": 4.0, "cy": 3.0}}


def _graph_program(folder: Path) -> Callable[[bytes], object]:
    for name, content in CONTENT.items():
        (folder / name).write_bytes(content)

    def take(data: bytes) -> None:
        (folder / PROGRAM).write_bytes(data)
        module = GraphModule.open(folder)
        _ = module.graph, module.content(WEIGHTS)

    return take


def _make_gpu_program(rng: Random) -> bytes:
    order = documents.spoil_json(rng, LAUNCHES).decode("utf-8", "replace")
    content = save(ARRAYS, {gpu.PROGRAM: order})
    return mutate.spoil(rng, content) if rng.random() < 0.2 else content


def _gpu_program(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        (folder / "module.cuda").write_bytes(data)
        gpu.Program.read(folder / "module.cuda")

    return take


@cache
def _pictures() -> tuple[bytes, bytes]:
    picture = cv2.imencode(".png", np.full((6, 8, 3), 99, np.uint8))[1].tobytes()
    return picture, cv2.imencode(".png", np.full((6, 8), 1500, np.uint16))[1].tobytes()


def _make_shard(rng: Random) -> bytes:
    picture, depth = _pictures()
    files = {"a/1.png": picture, "a/1.depth.png": depth, "a/1.json": documents.spoil_json(rng, ABOUT)}
    spoilt = rng.choice(list(files))
    if rng.random() < 0.3:
        files[spoilt] = mutate.spoil(rng, files[spoilt])
    if rng.random() < 0.1:
        files["a/camera.json"] = files.pop("a/1.json")
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=rng.choice((tarfile.PAX_FORMAT, tarfile.GNU_FORMAT))) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name + "x" * 200 * (rng.random() < 0.05))
            member.size = len(content)
            if rng.random() < 0.05:
                member.type = rng.choice((tarfile.SYMTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.GNUTYPE_SPARSE))
            if rng.random() < 0.1:
                member.pax_headers = {
                    rng.choice(
                        ("size", "path", "GNU.sparse.major", "GNU.sparse.map", "GNU.sparse.size", "mtime")
                    ): rng.choice(("", "-1", "9" * 30, "1,2", "1", "nan", "x" * 300))
                }
            archive.addfile(member, io.BytesIO(content))
    content = out.getvalue()
    return mutate.spoil(rng, content) if rng.random() < 0.3 else content


def _shard(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        (folder / "shard.tar").write_bytes(data)
        for sample in open_source(folder / "shard.tar"):
            sample.read()

    return take


def _state(folder: Path) -> Callable[[bytes], object]:
    def take(data: bytes) -> None:
        (folder / "state.npz").write_bytes(data)
        read_arrays(folder / "state.npz")

    return take


TARGETS = (
    Target("graph_program", "file", lambda rng: documents.spoil_json(rng, PROGRAM_TREE), _graph_program, 2),
    Target("gpu_program", "file", _make_gpu_program, _gpu_program, 1),
    Target("shard", "file", _make_shard, _shard, 2),
    Target("state", "file", archives.make, _state, 2),
)
