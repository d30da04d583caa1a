"""Names of the files that the writers of models make, for those that lack the writers' packages."""

NETWORK_ONNX, PRODUCT_ONNX = "network.onnx", "product.onnx"
NETWORK_TFLITE = "network.tflite"
NETWORK_NCNN = "network.param"
"""Beside it lie the weights, ``network.bin``."""

TABLE, WEIGHTS = "network.json", "weights.npz"
"""What all writers read: the network table and the weights by their names."""

PRODUCT_SIZE = 512
"""Of the matrices whose product measures what the processor reaches: three of them fit a second-level cache."""
