"""Chooses the engine of a compiled module. Stands above both kinds, so that neither knows of the other's file."""

from __future__ import annotations

from fastdepth_ros.runtime.engine import Engine
from fastdepth_ros.runtime.module import CompiledModule

__all__ = ["open_engine"]


def open_engine(module: CompiledModule, threads: int = 0) -> Engine:
    """Load a module with the engine that suits it.

    Args:
        module: what to run.
        threads: how many cores to use; 0 is all physical cores that this process may use. A GPU needs none.

    Returns:
        An :class:`~fastdepth_ros.runtime.engine.Engine`, or a GPU's where the module is for one.

    Raises:
        ModuleError: the library, the TVM runtime or the GPU's driver cannot be loaded, or the GPU refuses the module.
        SettingError: ``threads`` is out of range.
    """
    if module.description.on_gpu:
        # Imported here: a robot without a GPU loads nothing of the driver's.
        from fastdepth_ros.runtime.gpu.engine import GpuEngine

        return GpuEngine(module, threads)
    return Engine(module, threads)
