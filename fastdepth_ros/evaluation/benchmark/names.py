"""Names of the files that the writers of models make, for those that lack the writers' packages."""

NETWORK_ONNX, PRODUCT_ONNX = "network.onnx", "product.onnx"
NETWORK_TFLITE = "network.tflite"
NETWORK_NCNN = "network.param"
"""Beside it lie the weights, ``network.bin``."""

TABLE, WEIGHTS = "network.json", "weights.npz"
"""Source of all writers: the network table and the weights by their names."""

GRAPH = "graph.json"
"""Source of ``onnx_graph`` in place of the table."""

PRODUCT_SIZE = 512
"""Rows of the square matrices whose product shows what the processor reaches: three fit a second-level cache."""
