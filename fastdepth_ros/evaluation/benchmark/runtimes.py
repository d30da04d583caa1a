"""The other runtimes, each in a few lines: how to load the model, and how to run it once with what it has.

An adapter gets (ONNX file, picture float32 (1, 3, H, W), threads) and gives a function that runs the network and
returns its answer. Everything that can be done before is done before: loading, optimising, giving it the input.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[[], Any]


def onnxruntime(model: Path, picture: Any, threads: int) -> Run:
    """ONNX Runtime's CPU provider, all graph optimisations."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda: session.run(None, {name: picture})[0]


def openvino(model: Path, picture: Any, threads: int) -> Run:
    """OpenVINO's CPU plugin for lowest latency, float32 (its default may be bfloat16)."""
    import openvino as ov

    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "INFERENCE_PRECISION_HINT": "f32",
    }
    request = ov.Core().compile_model(str(model), "CPU", settings).create_infer_request()
    request.set_input_tensor(ov.Tensor(picture))

    def run() -> Any:
        request.infer()
        return request.get_output_tensor().data

    return run


def opencv(model: Path, picture: Any, threads: int) -> Run:
    """OpenCV's own DNN module."""
    import cv2

    cv2.setNumThreads(threads)
    network = cv2.dnn.readNetFromONNX(str(model))

    def run() -> Any:
        network.setInput(picture)
        return network.forward()

    return run


PEERS: dict[str, Callable[[Path, Any, int], Run]] = {
    "onnxruntime": onnxruntime,
    "openvino": openvino,
    "opencv": opencv,
}

PACKAGES = {"onnxruntime": "onnxruntime", "openvino": "openvino", "opencv": "opencv-python-headless"}
"""What each is called where packages are installed."""
