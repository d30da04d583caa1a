"""The ``fastdepth`` command: finds the sub-command, runs it, and says errors in one line.

Each sub-command is a module of ``fastdepth_ros.commands`` with ``add_arguments(parser)`` and
``run(args) -> exit status``; only the one that is called is imported, so that each starts at once.
"""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence

from fastdepth_ros import __version__
from fastdepth_ros.children import end_with_launch, exit_on
from fastdepth_ros.errors import FastDepthError, StorageError

COMMANDS = {
    "demo": "play a recording through the node over DDS and report what came back",
    "infer": "depth of pictures: PNG, npy, a coloured picture, a point cloud",
    "play": "play a recording's camera over DDS",
    "view": "a page in the browser on what the node sees, says and costs",
    "calibrate": "find the factor on depth by a distance, the floor or measured depths",
    "doctor": "whether depth will work on this machine, and what to do where it will not",
    "power": "the board, its power mode, its meters and the budget in force",
    "models": "list, show and verify the model bundles",
    "networks": "the networks that are known by name: layers, sizes, weights, multiply-adds",
    "import": "make a model bundle of weights that others made",
    "compile": "compile a bundle for a target",
    "deploy": "a folder for a robot: package, compiled model, TVM's runtime, installer",
    "bench": "how fast the network is here, beside other runtimes",
    "tables": "the tables of FastDepth's paper, with this machine's milliseconds",
    "tune": "find the fastest kernel tiles of this machine",
    "estimate": "how long a network takes on a board that is not at hand",
    "eval": "how good a bundle is on pictures with known depth",
    "train": "train the network by a recipe",
    "merge": "the mean of several bundles' weights, as a bundle",
    "adapt": "fine-tune a bundle on the place where its robot works",
    "prune": "make a network as fast as it has to be, by latencies that were measured",
    "search": "find a network within milliseconds that were measured, among those of a space",
    "rooms": "compute pictures of furnished rooms with exact depth, to train on",
}
"""Sub-command -> what it does, in the order in which a new user meets them."""


MISSING = {
    "rclpy": "Source a ROS 2 installation, use what `make demo` sets up, or install this package's extra [ros].",
    "torch": "Use the environment that `make train-env` sets up: .venv-train/bin/fastdepth train.",
    "tvm": "Install apache-tvm as requirements/run.txt names it; a robot that has compiled modules does without.",
    "viser": "Install it: pip install 'fastdepth_ros[view]', or `make view` in the checkout.",
    **dict.fromkeys(
        ("cv2", "matplotlib", "numpy", "rich", "rosbags", "safetensors", "yaml"),
        "Install it as requirements/packages.txt names it, or install this package with its extra [alone].",
    ),
}
"""Packages that some sub-commands need and not every machine has -> what to do."""


def module_of(command: str) -> str:
    """The module of a sub-command; a name that Python reserves carries an underscore."""
    return "fastdepth_ros.commands." + ("import_" if command == "import" else command)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line ``argv`` (default: that of the process) and return the exit status.

    Returns:
        0 for success, 1 where the sub-command says so, 2 for an error that was told, 74 where a file cannot be written
        or read, 130 after Ctrl-C.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    if argv is None:
        exit_on(signal.SIGTERM)  # So that what is half done is tidied away.
    parser = argparse.ArgumentParser(
        prog="fastdepth",
        description="Metric depth from one camera.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="commands:\n" + "\n".join(f"  {name:8} {text}" for name, text in COMMANDS.items()),
    )
    parser.add_argument("--version", action="version", version=f"fastdepth {__version__}")
    parser.add_argument("command", choices=COMMANDS, metavar="command", help="one of the commands below")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="see `fastdepth command --help`")
    chosen = parser.parse_args(arguments)

    try:
        return run(chosen.command, chosen.arguments)
    except FastDepthError as error:
        sys.stderr.write(f"fastdepth {chosen.command}: {error}\n")
        return error.status
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in MISSING:
            raise
        sys.stderr.write(f"fastdepth {chosen.command}: {package} is not installed here. {MISSING[package]}\n")
        return 2
    except OSError as error:
        if error.errno == errno.EPIPE:  # As in `fastdepth models list | head -1`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 141
        sys.stderr.write(f"fastdepth {chosen.command}: {error}. Check the disk, and what this user may do there.\n")
        return StorageError.status
    except KeyboardInterrupt:
        return 130


def run(command: str, arguments: Sequence[str]) -> int:
    """Import a sub-command and run it with its arguments.

    Raises:
        FastDepthError: what the user can do something about.
        ModuleNotFoundError: the sub-command needs what is not installed.
    """
    module = importlib.import_module(module_of(command))
    own = argparse.ArgumentParser(prog=f"fastdepth {command}", description=COMMANDS[command] + ".")
    module.add_arguments(own)
    return int(module.run(own.parse_args(arguments)))


if __name__ == "__main__":
    end_with_launch()
    sys.exit(main())
