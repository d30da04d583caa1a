"""The other runtimes, each in a few lines: how to load the model, and how to run it once with what it has.

An adapter gets (model, picture float32 (1, 3, H, W), threads, way) and gives a network that is ready to run. Everything
that can be done before is done before: loading, optimising, giving it the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastdepth_ros.evaluation.benchmark.names import (
    DEFAULT,
    FLOAT32,
    INT8,
    INT8_ONNX,
    INT8_OPENVINO,
    INT8_TFLITE,
    NETWORK_NCNN,
    NETWORK_ONNX,
    NETWORK_TFLITE,
    NETWORK_TORCH,
    TABLE,
)


def unchanged(answer: Any) -> Any:
    """The answer of a runtime that answers in metres."""
    return answer


class Ready(NamedTuple):
    """A network, loaded by a runtime.

    Attributes:
        put: takes the next picture, float32 (1, 3, H, W) of 0..1.
        run: computes the depth of the picture that was put, and gives it as the runtime does. This is timed.
        precision: of its arithmetic, as the runtime itself reports it.
        metres: what ``run`` gave -> float32 [m].
    """

    put: Callable[[Any], Any]
    run: Callable[[], Any]
    precision: str
    metres: Callable[[Any], Any] = unchanged


def onnxruntime(model: Path, picture: Any, threads: int, way: str) -> Ready:
    """ONNX Runtime's CPU provider, all graph optimisations."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    feeds = {name: picture}
    return Ready(lambda new: feeds.update({name: new}), lambda: session.run(None, feeds)[0], way)


def openvino(model: Path, picture: Any, threads: int, way: str) -> Ready:
    """OpenVINO's CPU plugin for lowest latency; what is not int8 is in float32 where that is asked for."""
    import openvino as ov

    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "NUM_STREAMS": 1}
    if way == FLOAT32:
        settings["INFERENCE_PRECISION_HINT"] = "f32"
    compiled = ov.Core().compile_model(str(model), "CPU", settings)
    request = compiled.create_infer_request()

    def put(new: Any) -> None:
        request.set_input_tensor(ov.Tensor(new))

    def run() -> Any:
        request.infer()
        return request.get_output_tensor().data

    put(picture)
    said = compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name()
    mode = compiled.get_property("EXECUTION_MODE_HINT").name.lower()
    return Ready(put, run, f"int8 and {said}" if way == INT8 else f"{said}, {mode} mode")


def litert(model: Path, picture: Any, threads: int, way: str) -> Ready:
    """LiteRT (TensorFlow Lite) with its XNNPACK delegate, which is the default."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(model), num_threads=threads)
    interpreter.allocate_tensors()
    source, answer = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def put(new: Any) -> None:
        interpreter.set_tensor(
            source["index"], stored(new.transpose(0, 2, 3, 1), source["quantization"], source["dtype"])
        )

    def run() -> Any:
        interpreter.invoke()
        return interpreter.get_tensor(answer["index"])

    def metres(found: Any) -> Any:
        # A file of others repeats each number of the last map in 2x2 pixels, where ours ends before that.
        every = found.shape[1] // (picture.shape[2] // 2)
        return real(found[:, ::every, ::every], answer["quantization"])

    put(picture)
    return Ready(put, run, way, metres)


def stored(values: Any, quantization: tuple[float, int], dtype: Any) -> Any:
    """Numbers as a tensor of TensorFlow Lite holds them; a scale of 0 says that it is not quantised."""
    scale, zero = quantization
    if not scale:
        return np.ascontiguousarray(values, dtype)
    limits = np.iinfo(dtype)
    return np.clip(np.rint(values / scale) + zero, limits.min, limits.max).astype(dtype)


def real(values: Any, quantization: tuple[float, int]) -> Any:
    """The inverse of :func:`stored`."""
    scale, zero = quantization
    return ((values.astype(np.float32) - zero) * np.float32(scale)) if scale else values


SMALLER = ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage", "bf16_packed")
"""Options of ncnn, without their ``use_``, by which it may compute with fewer bits."""


def ncnn(model: Path, picture: Any, threads: int, way: str) -> Ready:
    """The library ncnn on the processor."""
    import ncnn as library

    network = library.Net()
    options = network.opt
    options.num_threads = threads
    options.use_vulkan_compute = False
    known = [name for name in SMALLER if hasattr(options, f"use_{name}")]
    if way == FLOAT32:
        for name in known:
            setattr(options, f"use_{name}", False)
    network.load_param(str(model))
    network.load_model(str(model.with_suffix(".bin")))
    allowed = sorted({name.partition("_")[0] for name in known if getattr(network.opt, f"use_{name}")})
    held = [library.Mat(picture[0]).clone()]

    def put(new: Any) -> None:
        held[0] = library.Mat(new[0]).clone()

    def run() -> Any:
        extractor = network.create_extractor()
        extractor.input("picture", held[0])
        return np.array(extractor.extract("depth")[1])

    return Ready(put, run, f"{', '.join(allowed)} allowed" if allowed else FLOAT32)


def opencv(model: Path, picture: Any, threads: int, way: str) -> Ready:
    """OpenCV's own DNN module."""
    import cv2

    cv2.setNumThreads(threads)
    network = cv2.dnn.readNetFromONNX(str(model))
    held = [picture]

    def put(new: Any) -> None:
        held[0] = new

    def run() -> Any:
        network.setInput(held[0])
        return network.forward()

    return Ready(put, run, way)


def torch(model: Path, picture: Any, threads: int, way: str) -> Ready:
    """PyTorch on the processor, traced and optimised for inference."""
    import torch as library

    from fastdepth_ros.evaluation.benchmark.graph import read
    from fastdepth_ros.evaluation.benchmark.torch_model import optimised

    library.set_num_threads(threads)
    held = [library.from_numpy(picture)]
    if model.name == NETWORK_TORCH:
        with library.inference_mode():
            network = library.jit.optimize_for_inference(library.jit.freeze(library.jit.load(str(model)).eval()))
    else:
        network = optimised(*read(model.parent), held[0])

    def put(new: Any) -> None:
        held[0] = library.from_numpy(new)

    def run() -> Any:
        with library.inference_mode():
            return network(held[0]).numpy()

    return Ready(put, run, way)


@dataclass(frozen=True)
class Model:
    """A file that a runtime reads.

    Attributes:
        file: its name.
        writer: the module of this room that writes it; empty where none does.
        packages: that the writer needs beside the runtime, as they are called where packages are installed.
        tool: what quantised it, in words.
        made_of: the file that the writer reads; None where that is the network's table.
        from_reference: whether it is a file of the reference folder, with the authors' weights.
    """

    file: str
    writer: str
    packages: tuple[str, ...] = ()
    tool: str = ""
    made_of: Model | None = None
    from_reference: bool = False


@dataclass(frozen=True)
class Peer:
    """Another runtime.

    Attributes:
        load: its adapter.
        package: what it is called where packages are installed.
        models: way -> what it reads. Without a way of its own the default is float32, and nothing holds it to that.
        avx2: environment variables that hold it to AVX2; None where it has no such switch.
    """

    load: Callable[[Path, Any, int, str], Ready]
    package: str
    models: Mapping[str, Model]
    avx2: tuple[tuple[str, str], ...] | None = None


ONEDNN = ("ONEDNN_MAX_CPU_ISA", "AVX2")
"""For the library oneDNN, which OpenVINO and PyTorch are built with."""

ATEN = ("ATEN_CPU_CAPABILITY", "avx2")
"""For PyTorch's own kernels."""

ONNX = Model(NETWORK_ONNX, "onnx_model", ("onnx",))
QDQ = Model(INT8_ONNX, "onnx_int8", ("onnx",), "static QDQ", ONNX)
NNCF = Model(INT8_OPENVINO, "openvino_int8", ("onnx", "nncf"), "NNCF", ONNX)
NCNN = Model(NETWORK_NCNN, "ncnn_model")
TFLITE = Model(INT8_TFLITE, "", tool="the reference's", from_reference=True)

PEERS = {
    "onnxruntime": Peer(onnxruntime, "onnxruntime", {FLOAT32: ONNX, INT8: QDQ}),
    "openvino": Peer(openvino, "openvino", {FLOAT32: ONNX, DEFAULT: ONNX, INT8: NNCF}, (ONEDNN,)),
    "litert": Peer(litert, "ai-edge-litert", {FLOAT32: Model(NETWORK_TFLITE, "tflite_model"), INT8: TFLITE}),
    "ncnn": Peer(ncnn, "ncnn", {FLOAT32: NCNN, DEFAULT: NCNN}),
    "opencv": Peer(
        opencv,
        "opencv-python-headless",
        {FLOAT32: ONNX},
        (("OPENCV_CPU_DISABLE", "AVX512-COMMON,AVX512-SKX,AVX512-ICL"),),
    ),
    "torch": Peer(torch, "torch", {FLOAT32: Model(TABLE, "")}, (ONEDNN, ATEN)),
}
