"""The other runtimes, each in a few lines: how to load the model, and how to run it once with what it has.

An adapter gets (model, picture float32 (1, 3, H, W), threads) and gives a function that runs the network and returns
its answer. Everything that can be done before is done before: loading, optimising, giving it the input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fastdepth_ros.evaluation.benchmark.names import NETWORK_NCNN, NETWORK_ONNX, NETWORK_TFLITE, TABLE

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


def litert(model: Path, picture: Any, threads: int) -> Run:
    """LiteRT (TensorFlow Lite) with its XNNPACK delegate, which is the default."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=threads)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture.transpose(0, 2, 3, 1).copy())
    answer = interpreter.get_output_details()[0]["index"]

    def run() -> Any:
        interpreter.invoke()
        return interpreter.get_tensor(answer)

    return run


def ncnn(model: Path, picture: Any, threads: int) -> Run:
    """The library ncnn on the processor, float32 throughout (its default may be of 16 bits)."""
    import ncnn as library

    network = library.Net()
    options = network.opt
    options.num_threads = threads
    options.use_vulkan_compute = False
    options.use_fp16_packed = options.use_fp16_storage = options.use_fp16_arithmetic = False
    options.use_bf16_storage = options.use_bf16_packed = False
    network.load_param(str(model))
    network.load_model(str(model.with_suffix(".bin")))
    source = library.Mat(picture[0]).clone()

    def run() -> Any:
        extractor = network.create_extractor()
        extractor.input("picture", source)
        return np.array(extractor.extract("depth")[1])

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


def torch(model: Path, picture: Any, threads: int) -> Run:
    """PyTorch on the processor, traced and optimised for inference."""
    import torch as library

    from fastdepth_ros.evaluation.benchmark.graph import read
    from fastdepth_ros.evaluation.benchmark.torch_model import optimised

    library.set_num_threads(threads)
    source = library.from_numpy(picture)
    network = optimised(*read(model.parent), source)

    def run() -> Any:
        with library.inference_mode():
            return network(source).numpy()

    return run


@dataclass(frozen=True)
class Peer:
    """Another runtime.

    Attributes:
        load: its adapter.
        package: what it is called where packages are installed.
        writer: the module of this room that writes its model; empty where it needs none.
        model: the file that it reads.
        avx2: environment variables that hold it to AVX2; None where it has no such switch.
    """

    load: Callable[[Path, Any, int], Run]
    package: str
    writer: str
    model: str
    avx2: tuple[tuple[str, str], ...] | None = None


ONEDNN = ("ONEDNN_MAX_CPU_ISA", "AVX2")
"""For the library oneDNN, which OpenVINO and PyTorch are built with."""

PEERS = {
    "onnxruntime": Peer(onnxruntime, "onnxruntime", "onnx_model", NETWORK_ONNX),
    "openvino": Peer(openvino, "openvino", "onnx_model", NETWORK_ONNX, (ONEDNN,)),
    "litert": Peer(litert, "ai-edge-litert", "tflite_model", NETWORK_TFLITE),
    "ncnn": Peer(ncnn, "ncnn", "ncnn_model", NETWORK_NCNN),
    "opencv": Peer(
        opencv,
        "opencv-python-headless",
        "onnx_model",
        NETWORK_ONNX,
        (("OPENCV_CPU_DISABLE", "AVX512-COMMON,AVX512-SKX,AVX512-ICL"),),
    ),
    "torch": Peer(torch, "torch", "", TABLE, (ONEDNN, ("ATEN_CPU_CAPABILITY", "avx2"))),
}
