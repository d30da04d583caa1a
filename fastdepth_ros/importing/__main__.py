"""``python -m fastdepth_ros.importing FILE TABLE``: the process that reads a file of weights, see ``apart``."""

import sys

from fastdepth_ros.importing.apart import serve

serve(*sys.argv[1:])
