"""``python -m fastdepth_ros.node``: the node, without an installed executable."""

import sys

from fastdepth_ros.node.depth_node import main

sys.exit(main())
