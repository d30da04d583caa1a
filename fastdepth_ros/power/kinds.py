"""Kinds of boards that the node knows by name: one row each. Whatever differs from board to board stands here."""

from __future__ import annotations

from dataclasses import dataclass

from fastdepth_ros.power.modes import TX2, Mode

__all__ = ["KINDS", "LINUX", "Kind", "kind_of"]


@dataclass(frozen=True)
class Kind:
    """A kind of board.

    Attributes:
        name: what profiles and diagnostics call it.
        title: its name where the kernel does not show the maker's.
        chips: words of the device tree's ``compatible`` that tell it.
        gpus: names of its GPU in ``/sys/class/devfreq``; a container that hides the device tree still shows them.
        target: what its processor is compiled for, a name of ``fastdepth compile --target``.
        gpu_target: the same of its GPU; empty where the project has no kernels for it.
        has_nvpmodel: whether the board has power modes, which NVIDIA's nvpmodel sets.
        modes: those that it is known to have where its nvpmodel.conf is hidden.
    """

    name: str
    title: str = ""
    chips: tuple[str, ...] = ()
    gpus: tuple[str, ...] = ()
    target: str = "host"
    gpu_target: str = ""
    has_nvpmodel: bool = False
    modes: tuple[Mode, ...] = ()


LINUX = Kind("linux")
"""Every board that has no row of its own."""

KINDS = {
    kind.name: kind
    for kind in (
        Kind("tx2", "Jetson TX2", ("tegra186",), ("17000000.gp10b",), "cortex-a57", "cuda-sm_62", True, TX2),
        Kind("xavier", "Jetson Xavier", ("tegra194",), ("17000000.gv11b",), "carmel", "cuda-sm_72", True),
        Kind(
            "orin", "Jetson Orin", ("tegra234",), ("17000000.ga10b", "17000000.gpu"), "cortex-a78", "cuda-sm_87", True
        ),
        Kind("rk3588", "Rockchip RK3588", ("rk3588", "rk3588s"), ("fb000000.gpu",), "cortex-a76"),
        Kind("rpi5", "Raspberry Pi 5", ("bcm2712",), target="cortex-a76"),
        LINUX,
    )
}
"""Name -> kind. A new board is a row here and a made-up tree in ``test/boards``.

Where it differs from any Linux, it is a key in ``profiles.yaml`` as well.
"""


def kind_of(compatible: str, gpus: list[str]) -> Kind:
    """The kind of board that the kernel shows.

    Args:
        compatible: of the device tree, words separated by commas; empty where it is hidden.
        gpus: names in ``/sys/class/devfreq``.
    """
    words = compatible.split(",")
    by_chip = [kind for kind in KINDS.values() if any(chip in words for chip in kind.chips)]
    by_gpu = [kind for kind in KINDS.values() if any(gpu in gpus for gpu in kind.gpus)]
    return (by_chip or by_gpu or [LINUX])[0]
