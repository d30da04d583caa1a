"""Takes the camera's messages: the newest image is answered, and what became of the others is noted."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from fastdepth_ros.diagnostics.monitor import Drop, Monitor
from fastdepth_ros.diagnostics.sequence import Gaps
from fastdepth_ros.errors import ImageError
from fastdepth_ros.messages.serialized import SerializedCompressedImage, SerializedImage, Unpacker
from fastdepth_ros.messages.video import SerializedVideo, VideoUnpacker
from fastdepth_ros.node.left_over import LeftOver
from fastdepth_ros.node.power import NodePower
from fastdepth_ros.node.rate_limit import RateLimit
from fastdepth_ros.node.rclpy_ways.interface import Subscriber


class ReceivedImage(NamedTuple):
    """An image as it came.

    Attributes:
        message: its fields.
        at: ``time.perf_counter()`` when it came [s].
    """

    message: SerializedImage | SerializedCompressedImage | SerializedVideo
    at: float


class Aside(Protocol):
    """Messages that are needed with the images, and made ready before."""

    @property
    def waited(self) -> Sequence[Subscriber]:
        """Subscribers of those that take long to be read."""

    def prepare(self) -> None:
        """Make ready what came of them."""


class NewestImage:
    """Takes messages in the thread that waits for them.

    The newest image is answered. Older ones are replaced by it: here, if the subscription keeps several, else by the
    middleware, which shows in the publisher's sequence numbers. Those are told from images that were lost on the way by
    when the image behind the gap came: while we waited, nothing had been there that it could replace.

    Args:
        images: subscriber of the images.
        camera_infos: subscriber of camera_info; what waits there is heard first. See also :meth:`hear_also`.
        compressed: whether the images are sensor_msgs/CompressedImage.
        hear: takes a camera_info.
        monitor: takes the notes.
        limit: of the rate.
        power: counts the images.
        now: the time in the node's clock [s].
        log_failure: is told of an exception that is a fault of the node.
        video: unpacks the images where they are packets of a video.
        left_over: work that answers leave.

    Attributes:
        waited: the subscriber of the images, in a tuple.
        aside: what is made ready between images; None where nothing is.
    """

    def __init__(
        self,
        images: Subscriber,
        camera_infos: Subscriber,
        *,
        compressed: bool,
        hear: Callable[[bytes], None],
        monitor: Monitor,
        limit: RateLimit,
        power: NodePower,
        now: Callable[[], float],
        log_failure: Callable[[Exception], None] = lambda _: None,
        video: VideoUnpacker | None = None,
        left_over: LeftOver | None = None,
    ) -> None:
        self._log_failure = log_failure
        self.waited = (images,)
        self.aside: Aside | None = None
        self._images, self._camera_infos = images, [camera_infos]
        self._left_over = left_over
        self._unpacker, self._video = Unpacker(compressed), video
        self._gaps = Gaps()
        self._hear = hear
        self._monitor = monitor
        self._limit = limit
        self._power = power
        self._now = now

    def hear_also(self, camera_infos: Subscriber) -> None:
        """Take camera_info from one more subscriber from now on, before the first one's; from any thread."""
        self._camera_infos = [camera_infos, *self._camera_infos]

    @property
    def besides(self) -> Sequence[Subscriber]:
        """Subscribers of what is made ready between images."""
        aside = self.aside
        return aside.waited if aside is not None else ()

    @property
    def is_behind(self) -> bool:
        """Whether the latest answer left something over."""
        return self._left_over is not None and self._left_over.is_there

    def prepare(self) -> None:
        """Do what the latest answer left over, and make ready what came besides.

        What goes wrong is logged: images are answered all the same.
        """
        if self._left_over is not None:
            self._left_over.finish()
        aside = self.aside
        if aside is None:
            return
        try:
            aside.prepare()
        except Exception as error:
            self._log_failure(error)

    def take(self, waited_since: int) -> ReceivedImage | None:
        """Take all messages that are there.

        Args:
            waited_since: when the wait for them began, by the system's clock [ns].

        Returns:
            The image to be answered, if there is one.
        """
        for subscriber in self._camera_infos:
            for camera_info, _ in subscriber.take():
                try:
                    self._hear(camera_info)
                except Exception as error:
                    self._fail(error)
        newest: ReceivedImage | None = None
        for serialized, info in self._images.take():
            try:
                received = self._receive(serialized, info, waited_since)
            except Exception as error:
                self._fail(error)
                continue
            if received is not None and newest is not None:
                self._monitor.dropped(self._now(), Drop.REPLACED)
            newest = received or newest
        if self._video is not None and newest is not None and isinstance(newest.message, SerializedVideo):
            self._video.hand_over(newest.message)
        return newest

    def _fail(self, error: Exception) -> None:
        """Note a fault of ours. Whatever is wrong with a message, or with us, the next one is taken."""
        self._monitor.failed(self._now(), error)
        self._log_failure(error)

    def _receive(self, serialized: bytes, info: Mapping[str, Any], waited_since: int) -> ReceivedImage | None:
        now, at, system = self._now(), time.perf_counter(), time.time_ns()
        came = info.get("received_timestamp") or system
        if came < system:
            at -= (system - came) * 1e-9
        missing = self._gaps.lost(info)
        replaced = missing if came < waited_since else 0
        self._monitor.received(now, 1 + replaced)
        self._power.arrived(1 + replaced)
        if missing > replaced:
            self._monitor.dropped(now, Drop.LOST, missing)
        if missing and self._video is not None:
            self._video.miss()
        try:
            message = (self._video or self._unpacker).unpack(serialized)
        except ImageError as error:
            self._monitor.rejected(now, error)
            self._monitor.dropped(now, Drop.REPLACED, replaced)
            return None
        limit = self._limit
        admitted = limit.rate <= 0 or limit.admits(message.header.seconds or now, at)
        if replaced or not admitted:
            # The others would have been held back anyway.
            late = replaced if admitted and limit.rate <= 0 else min(replaced, limit.missed)
            held_back = Drop.BUDGET if self._power.decision.lowered else Drop.MAX_RATE
            self._monitor.dropped(now, Drop.REPLACED, late)
            self._monitor.dropped(now, held_back, replaced - late + (not admitted))
        return ReceivedImage(message, at) if admitted else None
