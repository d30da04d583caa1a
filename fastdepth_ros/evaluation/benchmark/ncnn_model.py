"""Writes the network as ncnn's pair of files: layers as lines of text, and the weights one after the other.

The format is that of ncnn's wiki, "param and model file structure" and "operators"; numbers of parameters are theirs.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from fastdepth_ros.evaluation.benchmark.graph import read
from fastdepth_ros.evaluation.benchmark.names import NETWORK_NCNN
from fastdepth_ros.network import Convolution, Network, walk

MAGIC = 7767517
RAW_FLOAT32 = bytes(4)
"""Mark before weights that are neither compressed nor of 16 bits."""

ACTIVATIONS = {"relu": "9=1", "relu6": "9=3 -23310=2,0.0,6.0"}


class Line(NamedTuple):
    """A layer: kind, inputs, output, parameters."""

    kind: str
    inputs: tuple[str, ...]
    output: str
    parameters: str


class NcnnGraph:
    """Layers and weights of a model while it is written."""

    def __init__(self, weights: Mapping[str, Any], height: int, width: int) -> None:
        self.weights = weights
        self.lines = [Line("Input", (), "picture", f"0={width} 1={height} 2=3")]
        self.data: list[bytes] = []

    def line(self, kind: str, inputs: tuple[str, ...], parameters: str) -> str:
        output = f"{kind.lower()}{len(self.lines)}"
        self.lines.append(Line(kind, inputs, output, parameters))
        return output

    def convolution(self, value: str, conv: Convolution) -> str:
        weight, bias = (self.weights[f"{conv.name}.{part}"] for part in ("weight", "bias"))
        self.data += [RAW_FLOAT32, weight.tobytes(), bias.tobytes()]
        parameters = f"0={conv.outputs} 1={conv.kernel} 3={conv.stride} 4={conv.kernel // 2} 5=1 6={weight.size}"
        parameters += f" {ACTIVATIONS[conv.activation]}"
        if conv.kind == "depthwise":
            return self.line("ConvolutionDepthWise", (value,), f"{parameters} 7={conv.inputs}")
        return self.line("Convolution", (value,), parameters)

    def upsample(self, value: str) -> str:
        return self.line("Interp", (value,), "0=1 1=2.0 2=2.0")

    def add(self, one: str, other: str) -> str:
        return self.line("BinaryOp", (one, other), "0=0")

    def text(self) -> str:
        """The lines, with a Split behind every layer whose answer is read more than once."""
        readers = Counter(name for line in self.lines for name in line.inputs)
        turns: Counter[str] = Counter()
        written = []
        for line in self.lines:
            inputs = []
            for name in line.inputs:
                turns[name] += 1
                inputs.append(f"{name}_{turns[name]}" if readers[name] > 1 else name)
            written.append((line.kind, inputs, [line.output], line.parameters))
            if (count := readers[line.output]) > 1:
                copies = [f"{line.output}_{number}" for number in range(1, count + 1)]
                written.append(("Split", [line.output], copies, ""))
        blobs = sum(len(outputs) for _, _, outputs, _ in written)
        rows = [
            f"{kind} {outputs[0]}-{kind} {len(inputs)} {len(outputs)} {' '.join([*inputs, *outputs])} {parameters}"
            for kind, inputs, outputs, parameters in written
        ]
        return "\n".join([str(MAGIC), f"{len(rows)} {blobs}", *rows, ""])


def write(network: Network, weights: Mapping[str, Any], height: int, width: int, path: Path) -> None:
    """Write the model: "picture" (3, height, width) of 0..1 -> "depth" (1, height / 2, width / 2) metres."""
    graph = NcnnGraph(weights, height, width)
    walk(network, graph, "picture")
    graph.lines[-1] = graph.lines[-1]._replace(output="depth")
    path.write_text(graph.text(), encoding="ascii")
    path.with_suffix(".bin").write_bytes(b"".join(graph.data))


def main() -> None:
    """``python -m ... FOLDER HEIGHT WIDTH`` writes the network."""
    folder, height, width = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    write(*read(folder), height, width, folder / NETWORK_NCNN)


if __name__ == "__main__":
    main()
