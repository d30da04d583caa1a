"""Modules for NVIDIA GPUs: what is in their file. Nothing here ever ran on a GPU: see docs/targets.md."""
