"""The node, which has compiled what tests have compiled before: nobody waits for LLVM."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1]))

from nursery import COMPILER, InCopies

from fastdepth_ros.node.run import main
from fastdepth_ros.runtime import cache

cache.subprocess = InCopies(*COMPILER, "kept_code")
sys.exit(main())
