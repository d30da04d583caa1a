"""Names of the files that ``onnx_model`` writes, for those that have no onnx package."""

NETWORK, PRODUCT = "network.onnx", "product.onnx"
