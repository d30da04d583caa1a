"""Bundles and compiled modules of strangers: their manifests, descriptions and weights. Nothing is loaded."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from safetensors.numpy import save

from fastdepth_ros.anchoring.prior import Prior
from fastdepth_ros.network.count import count
from fastdepth_ros.network.entries import entry
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.halved import halved
from fastdepth_ros.network.noise import noise_weights
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.bundle import MANIFEST, WEIGHTS, Bundle, Manifest, write_bundle
from fastdepth_ros.runtime.cache import module_folder
from fastdepth_ros.runtime.losses import Loss, Losses
from fastdepth_ros.runtime.module import DESCRIPTION, LIBRARY, CompiledModule, Description, Size, tvm_version
from fastdepth_ros.runtime.precision import too_much
from hostile import mutate
from hostile.seeds import documents
from hostile.seeds.tiny import TINY, weights
from hostile.target import FooledError, Target

DATA = save(weights())
DIGEST = hashlib.sha256(DATA).hexdigest()
LOSSES = Losses(DIGEST, {"int8": {"rooms": Loss(100, 0.001, 0.01, "AVX2"), "halls": Loss(9, -0.002, 0.0, "AVX2")}})
MANIFEST_TREE = Manifest(
    "tiny",
    TINY,
    training_focal=(199.1, 265.8),
    files={WEIGHTS: DIGEST},
    anchoring=Prior().to_json(),
    losses=LOSSES,
).to_json()
DESCRIPTION_TREE = {
    "format": 1,
    **dataclasses.asdict(
        Description(
            "host",
            "x86_64-linux-gnu",
            "generic",
            tuple(sorted(processor.features())[:3]),
            8,
            "float32",
            TINY.to_json(),
            DIGEST,
            Size(224, 224),
            Size(112, 112),
            tvm_version(),
            "0",
            "clang",
            hashlib.sha256(b"library").hexdigest(),
        )
    ),
}


GRAPH = entry("litedepth").graph
GRAPH_WEIGHTS = {name: array.astype(np.float16) for name, array in noise_weights(GRAPH).items()}
GRAPH_TREE = Manifest("tiny", GRAPH, 64, 64, files={WEIGHTS: hashlib.sha256(save(GRAPH_WEIGHTS)).hexdigest()}).to_json()


def _manifest(folder: Path) -> Callable[[bytes], object]:
    return _taker(folder, Manifest("tiny", TINY), weights())


def _graph_manifest(folder: Path) -> Callable[[bytes], object]:
    return _taker(folder, Manifest("tiny", GRAPH, 64, 64), GRAPH_WEIGHTS)


def _taker(folder: Path, manifest: Manifest, arrays: dict[str, Any]) -> Callable[[bytes], object]:
    write_bundle(folder / "tiny", manifest, arrays)

    def take(data: bytes) -> None:
        (folder / "tiny" / MANIFEST).write_bytes(data)
        bundle = Bundle.open(folder / "tiny")
        network, sides = bundle.manifest.network, (bundle.manifest.input_height, bundle.manifest.input_width)
        if isinstance(network, Graph):
            count(halved(network), *sides)
        else:
            network.macs(*sides)
        bundle.weights()
        Prior.of(bundle.manifest)
        too_much(bundle)
        if bundle.manifest.name == "tiny":  # the rest takes a hundred times as long
            return
        made = module_folder(bundle, "host")
        if made.parent.name != "modules" or ".." in made.parts or len(made.name) > 255 or not made.name.isprintable():
            raise FooledError("the cache would keep its module outside of its folder, or under no name")

    return take


def _make_weights(rng: Random) -> bytes:
    """A safetensors file whose header or length is spoilt."""
    kind = rng.random()
    if kind < 0.3:
        return mutate.spoil(rng, DATA)
    size = int.from_bytes(DATA[:8], "little")
    tree = documents.spoil_tree(rng, json.loads(DATA[8 : 8 + size]))
    header = json.dumps(tree).encode("utf-8", "surrogatepass")
    length = mutate.number(rng, len(header), 64) if rng.random() < 0.1 else len(header)
    return length.to_bytes(8, "little") + header + DATA[8 + size :]


def _weights(folder: Path) -> Callable[[bytes], object]:
    bundle = write_bundle(folder / "tiny", Manifest("tiny", TINY), weights())

    def take(data: bytes) -> None:
        (folder / "tiny" / WEIGHTS).write_bytes(data)
        files = {WEIGHTS: hashlib.sha256(data).hexdigest()}
        Bundle(bundle.path, dataclasses.replace(bundle.manifest, files=files)).weights()

    return take


def _description(folder: Path) -> Callable[[bytes], object]:
    folder.joinpath(LIBRARY).write_bytes(b"library")

    def take(data: bytes) -> None:
        (folder / DESCRIPTION).write_bytes(data)
        module = CompiledModule.open(folder)
        module.is_of(DIGEST)
        _ = module.description.on_gpu, module.description.input.width + module.description.output.height

    return take


TARGETS = (
    Target("manifest", "file", lambda rng: documents.spoil_json(rng, MANIFEST_TREE), _manifest, 7),
    Target("graph_manifest", "file", lambda rng: documents.spoil_json(rng, GRAPH_TREE), _graph_manifest, 7),
    Target("weights", "file", _make_weights, _weights, 2),
    Target("module", "file", lambda rng: documents.spoil_json(rng, DESCRIPTION_TREE), _description, 7),
)
