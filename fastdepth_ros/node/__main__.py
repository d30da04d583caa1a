"""``depth_node``, and ``python -m fastdepth_ros.node``: the node, without an installed executable."""

import os
import signal
import sys

from fastdepth_ros.children import end_with_launch

OF_PYTHON = ("cv2", "numpy", "safetensors", "yaml")
"""Packages that the node cannot start without, besides ROS; TVM's is looked for where a model is loaded."""

MISSING = 2
"""Exit status where a package is not there."""


def main() -> int:
    """Run the node. Until its libraries are imported, a signal ends the process at once: there is nothing to leave."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: os._exit(0))
    end_with_launch()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGINT, signal.SIGTERM))
    if {"-h", "--help"} & set(sys.argv):
        from fastdepth_ros.node.usage import asked_for, usage

        if asked_for(sys.argv[1:]):
            sys.stdout.write(usage())
            return 0
    # Matrices of anchoring are small: on a busy machine a second thread of OpenBLAS made waiting of most of their time.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    try:
        from fastdepth_ros.node.run import main as run
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in ("", "fastdepth_ros"):
            raise
        sys.stderr.write(f"depth_node: {sys.executable} has no {package}. {remedy(package)}\n")
        return MISSING
    return run()


def remedy(package: str) -> str:
    """Say what to do where a package is missing: that of a Python, or of ROS."""
    if package in OF_PYTHON:
        return "Install what requirements/run-system.txt names, and build with that Python (docs/install.md)."
    return "Source a ROS 2 installation: . /opt/ros/DISTRO/setup.bash"


if __name__ == "__main__":
    sys.exit(main())
