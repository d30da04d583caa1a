"""The GPUs that modules are compiled for. A GPU is data; none has to be at hand."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Gpu:
    """A GPU that a module runs on.

    Attributes:
        name: what the user calls it, as a target.
        arch: its instruction set, as NVIDIA calls it.
        board: where it is found.
        host: the architecture of the processor beside it.
        ptx: the PTX version of the oldest driver that has to read the module's PTX.
        processors: streaming multiprocessors; the tiles are chosen so that each has several blocks.
        cores: float32 multiply-adds per clock of a streaming multiprocessor.
        clock: highest, in GHz.
        bandwidth: of its memory, in GB/s.
    """

    name: str
    arch: str
    board: str
    host: str
    ptx: str
    processors: int
    cores: int
    clock: float
    bandwidth: float

    @property
    def flops(self) -> float:
        """float32 operations per second at the highest clock."""
        return 2e9 * self.processors * self.cores * self.clock


# Numbers: NVIDIA's data sheets of the modules (TX2: 256 cores, 1.3 GHz, 128-bit LPDDR4 of 58.3 GB/s).
GPUS = {
    gpu.name: gpu
    for gpu in (
        Gpu("cuda-sm_62", "sm_62", "Jetson TX2", "aarch64", "6.5", 2, 128, 1.30, 58.3),  # JetPack 4.6: CUDA 10.2
        Gpu("cuda-sm_72", "sm_72", "Jetson AGX Xavier", "aarch64", "6.5", 8, 64, 1.377, 136.5),  # JetPack 4.6 and 5
        Gpu("cuda-sm_87", "sm_87", "Jetson AGX Orin", "aarch64", "7.4", 16, 128, 1.30, 204.8),  # JetPack 5: CUDA 11.4
        Gpu("cuda-sm_90", "sm_90", "H200", "x86_64", "7.8", 132, 128, 1.98, 4800.0),  # CUDA 11.8
    )
}
