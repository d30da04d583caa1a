"""Reads weights of strangers in a process of its own, which may not take much and may crash without harm.

The process writes one letter to its standard output and then what it found: E and a JSON list of cause and remedy, or
W and safetensors with float16 and float32 arrays, whose format is simple enough to be believed.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.numpy import load, save

from fastdepth_ros import children
from fastdepth_ros.errors import FastDepthError, WeightsError, brief
from fastdepth_ros.importing.bounds import budget
from fastdepth_ros.importing.layers import Arrays
from fastdepth_ros.importing.reading import read_here, suffix_of
from fastdepth_ros.importing.tables import likeliest
from fastdepth_ros.network import Network, check_weights
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.stored import from_json, to_json

SECONDS = 60
"""Most processor time [s]; a good file takes less than one."""

MEMORY = 2**28
"""Bytes for the process beside what its file may unpack to."""

FAILED, FOUND = b"E", b"W"
PARTS = ("weight", "bias")
HOSTILE = "The file is damaged or hostile: take it from elsewhere."


def read_apart(path: Path | str, network: Network | Graph | None = None) -> tuple[Network | Graph, Arrays]:
    """Result of ``reading.read_here``, read in another process.

    Raises:
        WeightsError: the file cannot be read, an array does not fit its layer, or the process was ended.
    """
    file = Path(path)
    suffix_of(file)
    table = json.dumps(to_json(network) if isinstance(network, Graph) else network.to_json()) if network else ""
    command = children.python("fastdepth_ros.importing", str(file.absolute()), table)
    environment = children.environment(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL, check=False
        )
        out.seek(0)
        answer = out.read()
    if done.returncode or answer[:1] not in (FAILED, FOUND):
        raise WeightsError(f"{file} ended the process that read it ({_words(done.returncode)})", HOSTILE)
    try:
        return _parsed(answer, network)
    except (SafetensorError, ValueError, LookupError, TypeError) as error:
        raise WeightsError(f"{file} cannot be read ({brief(repr(error), 200)})", HOSTILE) from error


def _parsed(answer: bytes, network: Network | Graph | None) -> tuple[Network | Graph, Arrays]:
    if answer[:1] == FAILED:
        cause, remedy = json.loads(answer[1:])
        raise WeightsError(str(cause), str(remedy))
    arrays = load(answer[1:])
    if isinstance(network, Graph):
        network.check_weights(arrays)
        return network, {name: arrays[name] for name in network.weight_shapes()}
    table = network or likeliest(lambda _, conv: arrays[f"{conv.name}.weight"].shape)
    if table is None:
        raise LookupError(f"{len(arrays['conv0.weight'])} channels")
    ordered = {
        name: arrays[name] for conv in table.convolutions for name in (f"{conv.name}.weight", f"{conv.name}.bias")
    }
    check_weights(table, ordered)
    return table, ordered


def _words(status: int) -> str:
    return signal.Signals(-status).name if status < 0 else f"status {status}"


def serve(path: str, table: str) -> None:
    """Runs in the other process: read the file within limits, and write what was found.

    Args:
        path: of the file.
        table: the network's, or its graph, as JSON; empty looks for the one that fits.
    """
    children.end_with_parent()
    file = Path(path)
    _limit(file.stat().st_size)
    try:
        _, arrays = read_here(file, _network(json.loads(table)) if table else None)
        answer = FOUND + save(arrays)
    except FastDepthError as error:
        answer = FAILED + json.dumps([error.cause, error.remedy]).encode()
    sys.stdout.buffer.write(answer)


def _network(table: dict[str, Any]) -> Network | Graph:
    return from_json(table) if "layers" in table else Network.from_json(table)


def _limit(size: int) -> None:
    """Bound memory and time from here on, and have no file left of a crash."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    # Beside the file: what it unpacks to, and once more what is made of that.
    most = pages * os.sysconf("SC_PAGE_SIZE") + MEMORY + size + 2 * budget(size)
    for kind, limit in ((resource.RLIMIT_AS, most), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))
