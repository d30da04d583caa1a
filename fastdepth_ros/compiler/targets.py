"""Targets of compilation. A target is data; only ``host`` asks the machine. GPUs are in ``cuda.gpus``."""

from __future__ import annotations

import platform
from dataclasses import dataclass, replace
from typing import Any

import tvm
from tvm_ffi import get_global_func

from fastdepth_ros.compiler.cuda.gpus import GPUS
from fastdepth_ros.errors import SettingError
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.cache import FLOAT32
from fastdepth_ros.runtime.precision import INT8
from fastdepth_ros.runtime.processor import X86_64_V3, X86_64_V4, flags


@dataclass(frozen=True)
class Extra:
    """Instructions that most processors of a kind have, and not all of them.

    Attributes:
        attributes: LLVM features that switch them on.
        needs: flags of /proc/cpuinfo.
    """

    attributes: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()


NOTHING = Extra()


@dataclass(frozen=True)
class Target:
    """A processor that a module runs on.

    Attributes:
        name: what the user calls it.
        triple, cpu: LLVM's names of platform and processor.
        lanes: float32 numbers in a vector register.
        family: whose tile choices fit, a file in ``compiler/tuning``.
        attributes: LLVM features to switch on (+) or off (-) on top of the processor's own.
        needs: flags of /proc/cpuinfo without which the module must not be started.
        for_bytes: more that products of bytes need.
    """

    name: str
    triple: str
    cpu: str
    lanes: int
    family: str
    attributes: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    for_bytes: Extra = NOTHING

    def computing(self, precision: str) -> Target:
        """The target as a module in that precision needs it."""
        if precision != INT8:
            return self
        extra = self.for_bytes
        return replace(self, attributes=(*self.attributes, *extra.attributes), needs=self.needs | extra.needs)

    def llvm(self) -> Any:
        """The target as TVM wants it."""
        target: dict[str, Any] = {"kind": "llvm", "mtriple": self.triple, "mcpu": self.cpu}
        if self.attributes:
            target["mattr"] = list(self.attributes)
        return tvm.target.Target(target)


ALDERLAKE = X86_64_V3 | flags("avx_vnni gfni vaes vpclmulqdq adx")
AVX512_VNNI = Extra(("+avx512vnni",), flags("avx512_vnni"))
ARMV8 = flags("neon")
ARMV8_2 = ARMV8 | flags("atomics crc32 fphp asimdhp")
ARMV8_2_DOT = ARMV8_2 | flags("asimddp")

TARGETS = {
    target.name: target
    for target in (
        Target("x86-64-v3", "x86_64-linux-gnu", "x86-64-v3", 8, "avx2", needs=X86_64_V3),
        Target("x86-64-v4", "x86_64-linux-gnu", "x86-64-v4", 16, "avx512", (), X86_64_V4, AVX512_VNNI),
        Target("alderlake", "x86_64-linux-gnu", "alderlake", 8, "avx2", needs=ALDERLAKE),  # Intel N100, N97, N305
        Target("aarch64", "aarch64-linux-gnu", "generic", 4, "neon", ("+neon",), ARMV8),
        Target("cortex-a57", "aarch64-linux-gnu", "cortex-a57", 4, "neon", ("+neon",), ARMV8),  # Jetson TX2, Nano
        Target("cortex-a72", "aarch64-linux-gnu", "cortex-a72", 4, "neon", ("+neon",), ARMV8),  # Raspberry Pi 4
        Target("cortex-a76", "aarch64-linux-gnu", "cortex-a76", 4, "neon", ("+neon",), ARMV8_2_DOT),  # Raspberry Pi 5
        Target("cortex-a78", "aarch64-linux-gnu", "cortex-a78", 4, "neon", ("+neon",), ARMV8_2_DOT),  # Jetson Orin
        # Jetson Xavier. LLVM's own model of it unrolls loops until their sums do not fit the registers.
        Target("carmel", "aarch64-linux-gnu", "generic", 4, "neon", ("+neon", "+v8.2a", "+fullfp16"), ARMV8_2),
    )
}


def toolchain() -> str:
    """Tools that make the machine code, in words: with the same weights and the same of these, a module is the same."""
    return f"LLVM {get_global_func('target.llvm_version_major')()}, linked by fastdepth_ros"


def find_target(name: str, precision: str = FLOAT32) -> Target:
    """The target of that name; ``host`` is this machine.

    Args:
        name: of the target.
        precision: in which a module computes there; in another than float32 it may need more of the processor.

    Raises:
        SettingError: there is no such processor, or the kernels do not know this machine's.
    """
    if name == "host":
        return host()
    if name in GPUS:
        raise SettingError(f"{name} is a GPU, no processor", f"Choose one of host, {', '.join(TARGETS)}.")
    if name not in TARGETS:
        raise SettingError(f"there is no target {name!r}", f"Choose one of host, {', '.join((*TARGETS, *GPUS))}.")
    return TARGETS[name].computing(precision)


def host() -> Target:
    """The machine that asks: LLVM's name of its processor, and exactly the features that its kernel reports.

    A virtual machine or container may hide features that a processor of that name has; those are switched off.

    Raises:
        SettingError: neither AVX2 with FMA nor NEON is there.
    """
    cpu = str(get_global_func("tvm.codegen.llvm.GetHostCPUName")())
    reported = {str(k): bool(v) for k, v in dict(get_global_func("tvm.codegen.llvm.GetHostCPUFeatures")()).items()}
    attributes = tuple(f"{'+' if on else '-'}{feature}" for feature, on in sorted(reported.items()))
    triple = f"{platform.machine()}-linux-gnu"
    if widest := processor.vectors(processor.features()):
        sets = processor.instruction_sets()
        return Target("host", triple, cpu, widest.lanes, widest.name, attributes, sets)
    cause = f"{processor.name()} has neither AVX2 with FMA nor NEON"
    raise SettingError(cause, "The kernels need one of them; compile for another machine with --target.")
