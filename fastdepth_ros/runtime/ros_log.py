"""Folder of ROS's logs. ROS does not start where it cannot make that folder, as in a read-only home."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from fastdepth_ros.runtime.storage import private_folder

VARIABLE = "ROS_LOG_DIR"


def provide_log_folder() -> None:
    """Have ROS log to a temporary folder where it cannot write to its own; to be called before rclpy starts.

    Raises:
        StorageError: there is no temporary folder either.
    """
    home = os.environ.get("HOME", "")  # ROS does not ask for the user's entry in passwd.
    place = Path(os.environ.get(VARIABLE) or os.path.join(os.environ.get("ROS_HOME") or f"{home}/.ros", "log"))
    place = Path(home, *place.parts[1:]) if place.parts[0] == "~" else place
    if not _refused(place):
        return
    folder = private_folder() / "log"
    os.environ[VARIABLE] = str(folder)
    sys.stderr.write(
        f"ROS cannot log to {place}; it logs to {folder} until this ends. Set {VARIABLE} to keep its logs.\n"
    )


def _refused(place: Path) -> bool:
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return False
    except OSError:
        return True
