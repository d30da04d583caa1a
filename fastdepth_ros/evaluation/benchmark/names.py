"""Names of the files that the writers of models make, and of the ways to compute, for those that lack the packages."""

FLOAT32, DEFAULT, INT8 = "float32", "default", "int8"
"""Ways in which a runtime computes the network: held to float32; as it comes; quantised by its own tool."""

WAYS = (FLOAT32, DEFAULT, INT8)

NETWORK_ONNX, PRODUCT_ONNX = "network.onnx", "product.onnx"
NETWORK_TORCH = "network.pt"
"""A graph, traced (`python -m fastdepth_ros.training`)."""

NETWORK_TFLITE = "network.tflite"
NETWORK_NCNN = "network.param"
"""Beside it lie the weights, ``network.bin``."""

INT8_ONNX, INT8_TFLITE = "network-int8.onnx", "network-int8.tflite"
INT8_OPENVINO = "network-int8.xml"
"""Beside it lie the weights, ``network-int8.bin``."""

TABLE, WEIGHTS = "network.json", "weights.npz"
"""Source of all writers: the network table and the weights by their names."""

GRAPH = "graph.json"
"""Source of ``onnx_graph`` in place of the table."""

CALIBRATION, COMPARED = "calibration.npy", "compared.npy"
"""Pictures (n, height, width, 3) uint8 RGB: to calibrate with, and to measure errors on."""

PRODUCT_SIZE = 512
"""Rows of the square matrices whose product shows what the processor reaches: three fit a second-level cache."""
