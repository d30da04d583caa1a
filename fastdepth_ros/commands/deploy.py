"""``fastdepth deploy``: a folder for a robot, with all that depth needs there and nothing else."""

from __future__ import annotations

import argparse
from pathlib import Path

from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime.precision import AUTO
from fastdepth_ros.settings import LIMITS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("bundle", nargs="?", default=DEFAULT, help=f"name or folder of a bundle (default: {DEFAULT})")
    parser.add_argument("--target", required=True, help="the robot's processor, as for `fastdepth compile`")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the new folder")
    parser.add_argument(
        "--precision",
        choices=LIMITS["precision"].choices,
        default=AUTO,
        help="that the robot's node takes; its module goes along beside float32's (default: %(default)s, with int8"
        " where that is known to be faster and to lose next to nothing)",
    )
    parser.add_argument(
        "--python", metavar="X.Y", help="the robot's Python: put every wheel in, for a robot without network"
    )


def run(args: argparse.Namespace) -> int:
    """Make the folder, and say how large it is and what to do with it."""
    # Imported here, because it loads the compiler: a wrong argument is told before.
    from fastdepth_ros.deploy import deploy

    bundle = find_bundle(args.bundle)
    console = Terminal(stderr=True)
    with console.status("Making the folder") as status:
        progress, precision = status.update, args.precision
        out = deploy(bundle, args.target, args.out, python=args.python, progress=progress, precision=precision)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    text = f"{out}: {size / 1e6:.1f} MB. Copy it to the robot and run install.sh there."
    Terminal(soft_wrap=True).print(text, highlight=False, markup=False)
    return 0
