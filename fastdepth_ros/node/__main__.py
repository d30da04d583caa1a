"""``depth_node``, and ``python -m fastdepth_ros.node``: the node, without an installed executable."""

import os
import signal
import sys

from fastdepth_ros.children import end_with_launch


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
    from fastdepth_ros.node.run import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
