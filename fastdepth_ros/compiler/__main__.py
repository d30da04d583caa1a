"""``python -m fastdepth_ros.compiler BUNDLE``: `fastdepth compile` on its own, as the module cache starts it."""

import sys

from fastdepth_ros.cli import main

sys.exit(main(["compile", *sys.argv[1:]]))
