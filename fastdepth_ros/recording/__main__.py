"""``python -m fastdepth_ros.recording DIR ...`` is ``fastdepth play DIR ...``."""

import sys

from fastdepth_ros.cli import main

sys.exit(main(["play", *sys.argv[1:]]))
