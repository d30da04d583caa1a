"""``python -m fastdepth_ros.compiler BUNDLE``: `fastdepth compile` on its own, as the module cache starts it."""

import signal
import sys

from fastdepth_ros.children import end_with_parent, exit_on

# Before the compiler is loaded: a node may end at once. It tidies up, unless it hangs.
exit_on(signal.SIGTERM)
end_with_parent(signal.SIGTERM)

from fastdepth_ros.cli import main  # noqa: E402

sys.exit(main(["compile", *sys.argv[1:]]))
