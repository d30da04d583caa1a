"""Shows a camera's picture to the network, to hold measured depths against the answer."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.messages.camera_info import SeenCamera
from fastdepth_ros.messages.images import PictureReader
from fastdepth_ros.messages.serialized import SerializedCompressedImage, SerializedImage
from fastdepth_ros.models import find_bundle
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.bundle import Bundle
from fastdepth_ros.runtime.cache import find_module, prebuilt_for_here
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.module import CompiledModule
from fastdepth_ros.runtime.precision import AUTO, FLOAT32, choose
from fastdepth_ros.viewing import CELL


class Sight(NamedTuple):
    """A picture as the network sees it.

    Attributes:
        frame: of the image.
        stamp: of the image [s].
        seen: the camera of the network's input.
        metres: its answer, (rows, columns) of cells [m]; zeros where there is no module to ask.
    """

    frame: str
    stamp: float
    seen: Intrinsics
    metres: npt.NDArray[np.float32]


def look(
    image: SerializedImage | SerializedCompressedImage,
    camera: SeenCamera,
    model: str,
    target: str,
    precision: str = AUTO,
) -> Sight:
    """Show an image to the network.

    Args:
        image: of the camera.
        camera: the pinhole that the network sees it through, and the lens.
        model: name or folder of the bundle.
        target, precision: what its module is compiled for.

    Raises:
        FastDepthError: the image cannot be read, or there is no such model.
    """
    picture = PictureReader().read(image)
    bundle = find_bundle(model)
    manifest = bundle.manifest
    view = manifest.view_of(picture.width, picture.height)
    metres = _answer(bundle, _module(bundle, target, precision), picture, camera)
    return Sight(image.header.frame_id, image.header.seconds, view.intrinsics(camera.camera), metres)


def _module(bundle: Bundle, target: str, precision: str) -> CompiledModule | None:
    """Find the module that the node would take, or one in float32, as far as there is one already."""
    for each in dict.fromkeys((choose(bundle, target, precision).precision, FLOAT32)):
        module = find_module(bundle, target, each) or (prebuilt_for_here(bundle, each) if target == "host" else None)
        if module is not None:
            return module
    return None


def _answer(bundle: Bundle, module: CompiledModule | None, picture: Any, camera: SeenCamera) -> npt.NDArray[np.float32]:
    manifest = bundle.manifest
    if module is None:
        return np.zeros((manifest.input_height // CELL, manifest.input_width // CELL), np.float32)
    settings = Settings(cloud="off", min_depth=0.0, max_depth=100.0)
    frame = Pipeline(open_engine(module), manifest, settings).run(picture, camera.camera, lens=camera.lens)
    assert frame.depth is not None
    metres: npt.NDArray[np.float32] = frame.depth[::CELL, ::CELL].copy()
    metres[~np.isfinite(metres)] = 0
    return metres
