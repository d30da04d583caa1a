"""The network for NVIDIA GPUs: TensorIR kernels, their CUDA source, and modules of machine code and PTX made of it.

Everything here works without a GPU, and was only ever checked without one: see docs/boards/targets.md.
"""
