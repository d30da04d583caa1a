"""``fastdepth compile``: a model bundle becomes a module for a processor or a GPU."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from fastdepth_ros.commands.numbers import natural
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import SettingError, StorageError
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.cache import ANCHORS, NETWORK, place_to_compile
from fastdepth_ros.runtime.storage import is_full


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    targets = (
        "host (this machine, the default), x86-64-v3, x86-64-v4, alderlake (Intel N100), aarch64, cortex-a57 (Jetson"
        " TX2), carmel (Xavier), cortex-a78 (Orin), cortex-a72 (Raspberry Pi 4) or cortex-a76 (Raspberry Pi 5); GPUs:"
        " cuda-sm_62 (TX2), cuda-sm_72 (Xavier), cuda-sm_87 (Orin), cuda-sm_90 (H100, H200)"
    )
    parser.add_argument("bundle", nargs="?", default=DEFAULT, help=f"name or folder of a bundle (default: {DEFAULT})")
    parser.add_argument("--target", default="host", help=targets)
    parser.add_argument(
        "--precision",
        default="float32",
        help="float32 (default); int8 or, for ARMv8.2, float16: faster, a little less accurate",
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="the module's folder (default: in the cache)")
    parser.add_argument(
        "--part",
        choices=(NETWORK, ANCHORS),
        help="only the network, or only what corrects its depth by measured ones, which a node has compiled when it is"
        " first needed (default: both)",
    )
    parser.add_argument(
        "--nice", type=natural, default=0, metavar="N", help="let other programs go first, as `nice -n N` does"
    )
    network = parser.add_argument_group("a network of the papers, in place of a bundle (docs/networks.md)")
    network.add_argument("--network", metavar="NAME", help="one of `fastdepth networks list`, or a file .yaml")
    network.add_argument(
        "--weights", type=Path, metavar="FILE", help="its arrays, by its entry's names, as .npz (default: noise)"
    )
    network.add_argument("--seed", type=natural, default=0, help="of the noise (default: 0)")
    network.add_argument("--width", type=int, help="of its picture [px] (default: the entry's)")
    network.add_argument("--height", type=int, help="of its picture [px] (default: the entry's)")


def run(args: argparse.Namespace) -> int:
    """Compile, and print the module's folder."""
    if args.network:
        if args.part:
            raise SettingError("--part is of a bundle", "Leave it out with --network: its modules hold networks alone.")
        from fastdepth_ros.commands import compile_network

        return compile_network.run(args)
    # Imported here, because it loads the compiler: a wrong argument is told before.
    from fastdepth_ros.compiler.export import compile_anchors
    from fastdepth_ros.lowering.bundles import compile_model

    os.nice(args.nice)
    bundle = find_bundle(args.bundle)
    out = args.out or place_to_compile(bundle, args.target, args.precision, args.part or "")
    # LLVM ends the process where the disk is full, and leaves what it had written.
    if is_full(next(place for place in (out, *out.absolute().parents) if place.exists())):
        raise StorageError(f"the disk of {out} is full", "Make room, or name another place with --out.")
    console = Terminal(stderr=True)
    with console.status(f"Compiling {bundle.manifest.name}") as status:
        if args.part == ANCHORS:
            compile_anchors(bundle, args.target, out, progress=status.update)
        else:
            parts = {"anchors": args.part != NETWORK}
            compile_model(bundle, args.target, out, precision=args.precision, progress=status.update, **parts)
    Terminal(soft_wrap=True).print(out, highlight=False)
    return 0
