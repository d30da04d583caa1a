"""``python -m fastdepth_ros.recording DIR ...`` is ``fastdepth play DIR ...``."""

import sys

from fastdepth_ros.children import end_with_launch
from fastdepth_ros.cli import main

end_with_launch()
sys.exit(main(["play", *sys.argv[1:]]))
