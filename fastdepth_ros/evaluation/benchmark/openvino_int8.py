"""Quantises the network's ONNX file for OpenVINO with NNCF. Runs where ``openvino`` and ``nncf`` are."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np

from fastdepth_ros.evaluation.benchmark.graph import floats
from fastdepth_ros.evaluation.benchmark.names import CALIBRATION, INT8_OPENVINO, NETWORK_ONNX

SILENT = "NNCF_CI"
"""With this variable NNCF does not report its use to its makers."""


def main() -> None:
    """``python -m ... FOLDER HEIGHT WIDTH``: signed weights and unsigned maps, biases corrected."""
    os.environ[SILENT] = "1"
    import nncf
    import openvino as ov

    folder = Path(sys.argv[1])
    pictures = [floats(picture) for picture in np.load(folder / CALIBRATION)]
    quantised = nncf.quantize(
        ov.Core().read_model(str(folder / NETWORK_ONNX)),
        nncf.Dataset(pictures),
        preset=nncf.QuantizationPreset.MIXED,
        subset_size=len(pictures),
    )
    ov.save_model(quantised, str(folder / INT8_OPENVINO), compress_to_fp16=False)


if __name__ == "__main__":
    main()
