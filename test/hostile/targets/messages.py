"""Messages as DDS brings them: unpacked, decoded, believed, and computed with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from rclpy.serialization import serialize_message
from std_msgs.msg import Header

from fastdepth_ros.camera import PAPER_VIEW, View
from fastdepth_ros.errors import CalibrationError, FastDepthError
from fastdepth_ros.lens.warp import Warp
from fastdepth_ros.messages.camera_info import depth_camera_info
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import Unpacker
from fastdepth_ros.node.camera_info import CameraInfoListener
from hostile import mutate
from hostile.seeds import camera_infos, images
from hostile.target import FooledError, Target

LONGEST_SIDE = 65535


class Quiet:
    """A logger that keeps what it is told to itself."""

    def __getattr__(self, _: str) -> Callable[..., None]:
        return lambda *_, **__: None


def _pictures(good: bytes, compressed: bool) -> Callable[[Path], Callable[[bytes], object]]:
    def prepare(_: Path) -> Callable[[bytes], object]:
        unpacker, reader = Unpacker(compressed), PictureReader(lambda: None, _reduction)
        expected = reader.read(unpacker.unpack(good)).pixels.copy()
        count = 0

        def take(data: bytes) -> None:
            nonlocal count
            count += 1
            try:
                reader.read(unpacker.unpack(data)).check()
            finally:
                # Now and then a good one, which has to be read as ever whatever came before.
                if count % 16 == 0 and not np.array_equal(reader.read(unpacker.unpack(good)).pixels, expected):
                    raise FooledError("a good picture is read otherwise than before")

        return take

    return prepare


def _reduction(width: int, height: int) -> int:
    """As the pipeline has it: never smaller than the network's input."""
    return next((factor for factor in (8, 4, 2) if min(width, height) >= 224 * factor), 1)


def _camera(_: Path) -> Callable[[bytes], object]:
    good = camera_infos.good()

    def take(data: bytes) -> None:
        camera, problems = CameraInfoListener(Quiet()), []
        camera.rectify("auto", 0.0)
        for message in (good, data, good):
            camera.hear(message)
            problems.append(camera.problem)
            if camera.calibration is None:
                raise FooledError("a good camera_info is forgotten")
            _use(camera.calibration)
        if camera.calibration.camera.width != 32:
            raise FooledError("a good camera_info is not taken after this one")
        if problems[1]:
            raise CalibrationError(problems[1], "")

    return take


def _use(calibration: Any) -> None:
    """Do what every frame does with a calibration that was accepted: it must not fail then."""
    camera = calibration.camera
    if max(camera.width, camera.height) > LONGEST_SIDE:  # no picture is of that size
        return
    try:
        view = View.of(PAPER_VIEW, camera.width, camera.height, 224, 224).intrinsics(camera)
        if calibration.lens is not None:
            Warp(calibration.lens, view)
        info = depth_camera_info(view, calibration.info, Header())
        serialize_message(info)
    except FastDepthError as error:
        raise FooledError(f"accepted, and then no frame can use it ({type(error).__name__})") from error
    if info.distortion_model != "plumb_bob" or list(info.d) != [0.0] * 5:
        raise FooledError("depth/camera_info is not plumb_bob with five zeros")


def _make_frame(rng: Any) -> bytes:
    return mutate.pack(images.image(rng), camera_infos.make(rng))


def _frames(_: Path) -> Callable[[bytes], object]:
    from fastdepth_ros.models import find_bundle
    from fastdepth_ros.pipeline import Pipeline, Settings
    from fastdepth_ros.runtime.cache import module_for
    from fastdepth_ros.runtime.engine import Engine

    bundle = find_bundle()
    pipeline = Pipeline(Engine(module_for(bundle), 1), bundle.manifest, Settings(cloud="xyzrgb", output_size="camera"))
    unpacker, reader = Unpacker(), PictureReader(lambda: None)

    def take(data: bytes) -> None:
        message, info = (*mutate.unpack(data), b"", b"")[:2]
        camera = CameraInfoListener(Quiet())
        camera.rectify("auto", 0.0)
        camera.hear(camera_infos.good())
        camera.hear(info)
        picture = reader.read(unpacker.unpack(message))
        known, lens = (camera.calibration.camera, camera.calibration.lens) if camera.calibration else (None, None)
        if known is None or (known.width, known.height) != (picture.width, picture.height):
            known = lens = None
        frame = pipeline.run(picture, known, depth=True, cloud=known is not None, lens=lens)
        if frame.depth is None:
            raise FooledError("a picture was read and got no depth")

    return take


TARGETS = (
    Target("image", "message", images.image, _pictures(images.good_image(), False), 7),
    Target("compressed_image", "message", images.compressed, _pictures(images.good_compressed(), True), 18),
    Target("camera_info", "message", camera_infos.make, _camera, 9),
    Target("frame", "message", _make_frame, _frames, 3),
)
