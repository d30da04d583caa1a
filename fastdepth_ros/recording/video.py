"""Topics of video in a recording: which these are, and their pictures as raw images."""

from __future__ import annotations

from itertools import islice

import numpy as np
import numpy.typing as npt

from fastdepth_ros.codec.video import check_installed
from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages.serialized import SerializedHeader
from fastdepth_ros.messages.video import TYPES, VideoReader, VideoUnpacker
from fastdepth_ros.recording.content import COMPRESSED, FILES, LOOKED_AT
from fastdepth_ros.recording.reader import Message, Recording, Topic

TRANSPORTS = {f"{package}/msg/{name}": transport for transport, (package, name) in TYPES.items()}
"""Message type -> transport of video."""

SUFFIXES = {"video": "/compressed", "ffmpeg": "/ffmpeg", "foxglove": "/foxglove"}
"""Transport of video -> what its topic is called behind the image's name."""


def transport_of(recording: Recording, topic: Topic) -> str | None:
    """The transport of a topic that holds H.264 or H.265; None where it does not.

    A CompressedImage says so in its format. One whose format is that of a file is none, whatever else it says.
    """
    transport = TRANSPORTS.get(topic.type)
    if transport is None or not topic.messages:
        return None
    unpacker = VideoUnpacker(transport)
    for message in islice(recording.recorded([topic.name]), LOOKED_AT):
        try:
            packet = unpacker.unpack(message.data).packets[-1]
        except ImageError:
            continue
        return None if topic.type == COMPRESSED and FILES.search(packet.form) else transport
    return None


class RecordedVideo:
    """Decodes the packets of one recorded topic, in their order.

    Args:
        transport: of them.

    Raises:
        SettingError: PyAV is not installed.
    """

    def __init__(self, transport: str) -> None:
        check_installed()
        self._unpacker, self._reader = VideoUnpacker(transport), VideoReader()

    def read(self, message: Message) -> tuple[SerializedHeader, npt.NDArray[np.uint8]]:
        """The header and the pixels, RGB, of the picture that a packet completes.

        Raises:
            ImageError: it completes none: a key frame did not come yet, or it is damaged.
        """
        video = self._unpacker.unpack(message.data)
        self._unpacker.hand_over(video)
        return video.header, self._reader.read(video).pixels
