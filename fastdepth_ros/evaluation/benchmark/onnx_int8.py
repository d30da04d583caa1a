"""Quantises the network's ONNX file with ONNX Runtime's own tool. Runs where ``onnx`` and ``onnxruntime`` are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from fastdepth_ros.evaluation.benchmark.graph import floats
from fastdepth_ros.evaluation.benchmark.names import CALIBRATION, INT8_ONNX, NETWORK_ONNX


class Pictures(CalibrationDataReader):  # type: ignore[misc]  # ONNX Runtime ships no types here
    """One picture after the other, as the tool asks for them."""

    def __init__(self, pictures: Any) -> None:
        self._left = iter(pictures)

    def get_next(self) -> dict[str, Any] | None:
        """The next picture by its input's name; None behind the last."""
        picture = next(self._left, None)
        return None if picture is None else {"picture": floats(picture)}


def main() -> None:
    """``python -m ... FOLDER HEIGHT WIDTH``: static, in pairs of quantise and dequantise, a scale for each channel."""
    folder = Path(sys.argv[1])
    prepared = folder / "prepared.onnx"
    quant_pre_process(str(folder / NETWORK_ONNX), str(prepared), skip_symbolic_shape=True)
    quantize_static(
        str(prepared),
        str(folder / INT8_ONNX),
        Pictures(np.load(folder / CALIBRATION)),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
    )


if __name__ == "__main__":
    main()
