"""Modules for NVIDIA GPUs: what is in their file, and the engine that runs one.

The engine has never run on a GPU: none was at hand. Its calls were tried on a driver that the tests make, which runs
the kernels on the processor: see docs/boards/gpu.md.
"""
