"""Packets of video in messages, unpacked, and all those that a picture is made of.

Three kinds of message carry them: sensor_msgs/CompressedImage whose format says h264 or h265, as encoders of Isaac ROS
send them, ffmpeg_image_transport_msgs/FFMPEGPacket, and foxglove_msgs/CompressedVideo:

    header, int32 width, int32 height, string encoding, uint64 pts, uint8 flags, bool is_bigendian, uint8[] data
    time timestamp, string frame_id, uint8[] data, string format

The packages of the last two have to be installed for DDS to know the types; their bytes are read here.
"""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

from fastdepth_ros.codec import units
from fastdepth_ros.codec.decoder import MAX_PIXELS, check_size
from fastdepth_ros.codec.video import NoKeyFrameError, VideoDecoder, codec_of, pixels_of
from fastdepth_ros.errors import ImageError, SettingError, shortened
from fastdepth_ros.messages.reader import Reader
from fastdepth_ros.messages.serialized import LONGEST_NAME, SerializedHeader
from fastdepth_ros.picture import Picture

TYPES = {
    "video": ("sensor_msgs", "CompressedImage"),
    "ffmpeg": ("ffmpeg_image_transport_msgs", "FFMPEGPacket"),
    "foxglove": ("foxglove_msgs", "CompressedVideo"),
}
"""Transport of video -> package and name of its messages."""

MOST_WAITING = 600
"""Packets of one video that may wait to be decoded; with more of them it begins anew at a key frame."""

MOST_WAITING_BYTES = 64 << 20
"""Bytes of them: those of four seconds at 128 Mbit/s."""


class VideoPacket(NamedTuple):
    """A packet as it came.

    Attributes:
        header: stamp and frame of its picture.
        data: of it.
        codec: ``h264`` or ``hevc``.
        form: what the message says that it is.
        number: of the packet; one that follows another has the next.
        size: (width, height) of its picture where the message says so [px].
    """

    header: SerializedHeader
    data: bytes
    codec: str
    form: str
    number: int = 0
    size: tuple[int, int] | None = None


class SerializedVideo(NamedTuple):
    """The newest picture of a video.

    Attributes:
        header: stamp and frame of it.
        packets: that are not decoded yet, oldest first; it is the last one's.
    """

    header: SerializedHeader
    packets: tuple[VideoPacket, ...]

    @property
    def data(self) -> bytes:
        """Bytes of the newest packet."""
        return self.packets[-1].data


def packet_type(transport: str) -> Any:
    """The message type of a transport of :data:`TYPES`.

    Raises:
        SettingError: its package is not installed.
    """
    package, name = TYPES[transport]
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError) as error:
        remedy = f"Install ros-$ROS_DISTRO-{package.replace('_', '-')}, or use another image_transport."
        raise SettingError(f"image_transport is {transport}, and {package} is not installed", remedy) from error


class VideoUnpacker:
    """Unpacks a video's messages, one after the other, and keeps those that nobody decoded.

    Args:
        transport: one of :data:`TYPES`.
    """

    def __init__(self, transport: str) -> None:
        self._transport = transport
        self._number = 0
        self._waiting: list[VideoPacket] = []

    def unpack(self, serialized: bytes) -> SerializedVideo:
        """The picture of a message, and all that it is made of.

        Raises:
            ImageError: the message ends early, is encapsulated in a way that is not known, or holds no such video.
        """
        self._number += 1
        try:
            packet = self._unpack(serialized)._replace(number=self._number)
        except (ValueError, ImageError) as error:
            self.miss()
            if isinstance(error, ImageError):
                raise
            cause = f"the video's message cannot be unpacked: {error}"
            raise ImageError(cause, "Check who publishes it, and by which DDS.") from error
        waiting = sum(len(each.data) for each in self._waiting)
        if len(self._waiting) >= MOST_WAITING or waiting + len(packet.data) > MOST_WAITING_BYTES or _is_key(packet):
            self._waiting.clear()  # who decodes it needs none of them, or sees that some are missing
        self._waiting.append(packet)
        return SerializedVideo(packet.header, tuple(self._waiting))

    def miss(self) -> None:
        """Note that a packet before the next is missing."""
        self._number += 1

    def hand_over(self, video: SerializedVideo) -> None:
        """Keep no longer what somebody decodes."""
        last = video.packets[-1].number
        self._waiting = [packet for packet in self._waiting if packet.number > last]

    def _unpack(self, serialized: bytes) -> VideoPacket:
        reader, size = Reader(serialized), None
        header = reader.header()
        if self._transport == "foxglove":
            data = bytes(reader.octets())
            form = reader.string(LONGEST_NAME)
        else:
            if self._transport == "ffmpeg":
                size = reader.number("i"), reader.number("i")
            form = reader.string(LONGEST_NAME)
            if self._transport == "ffmpeg":
                reader.numbers("Q")
                reader.numbers("2B")
            data = bytes(reader.octets())
        codec = codec_of(form)
        if codec is None:
            cause = f"the video ({shortened(form) or 'no format'}, {len(data)} bytes) is neither H.264 nor H.265"
            raise ImageError(cause, "Set its encoder to one of them; JPEG and PNG are image_transport: compressed.")
        return VideoPacket(header, data, codec, form, size=size)


def _is_key(packet: VideoPacket) -> bool:
    try:
        return units.look(packet.data, packet.codec).key
    except ValueError:
        return False


class VideoReader:
    """Reads the pictures of one video, one after the other: every packet is decoded, the newest becomes a picture.

    Attributes:
        max_pixels: of the largest picture that is read.
    """

    def __init__(self) -> None:
        self.max_pixels = MAX_PIXELS
        self._decoder = VideoDecoder("h264")
        self._number = -1

    def read(self, video: SerializedVideo) -> Picture:
        """The newest picture.

        Args:
            video: all packets that were not read before.

        Raises:
            NoKeyFrameError: it is made of packets that are not there.
            ImageError: its packet is damaged, or its picture too large.
        """
        frame: Any = None
        error: ImageError | None = None
        for packet in video.packets:
            try:
                frame, error = self._decode(packet), None
            except ImageError as found:  # the next key frame may still come
                error = found
        name = _name(video.packets[-1])
        if error is None and frame is None:
            error = NoKeyFrameError(
                f"{name} shows nothing new yet", "Wait for the next; have it sent without B-frames."
            )
        if error is not None:
            raise error
        return Picture(pixels_of(frame), "rgb")

    def _decode(self, packet: VideoPacket) -> Any:
        decoder = self._decoder
        if packet.codec != decoder.codec:
            decoder = self._decoder = VideoDecoder(packet.codec)
        if packet.number != self._number + 1:
            decoder.forget()
        self._number, decoder.max_pixels = packet.number, self.max_pixels
        if packet.size is not None:
            check_size(_name(packet), *packet.size, self.max_pixels)
        return decoder.decode(packet.data, _name(packet))


def _name(packet: VideoPacket) -> str:
    return f"the packet of video ({shortened(packet.form)}, {len(packet.data)} bytes)"
