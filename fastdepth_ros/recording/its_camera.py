"""``python -m fastdepth_ros.recording.its_camera RECORDING``: prints how its images were sent, and their frame_id.

The launch file asks: its own Python may be another than the one that this package was installed with.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fastdepth_ros.errors import FastDepthError
from fastdepth_ros.recording import Recording, find_camera
from fastdepth_ros.recording.content import frame_of


def main(bag: str) -> int:
    """Print the image_transport of the recorded images and their frame_id, as a JSON list of two texts.

    Returns:
        0, or 2 where the recording cannot be played; standard error says why.
    """
    try:
        with Recording.open(Path(bag)) as recording:
            topics = find_camera(recording, packets=True)
            sys.stdout.write(json.dumps([topics.transport, frame_of(recording, topics.image)]) + "\n")
    except FastDepthError as error:
        sys.stderr.write(" ".join(str(error).split()) + "\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
