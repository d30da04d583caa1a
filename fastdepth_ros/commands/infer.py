"""``fastdepth infer``: depth of picture files."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.table import Table

from fastdepth_ros.anchoring import Anchors
from fastdepth_ros.camera import Intrinsics
from fastdepth_ros.colours import relief
from fastdepth_ros.commands.numbers import finite
from fastdepth_ros.commands.terminal import Terminal
from fastdepth_ros.errors import AnchorError, ImageError, RecordingError, SettingError
from fastdepth_ros.files.reading import read
from fastdepth_ros.files.writing import storing, write_file
from fastdepth_ros.messages.files import read_file
from fastdepth_ros.millimetres import millimetres
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import DepthFrame, Pipeline, Settings
from fastdepth_ros.ply import write_ply
from fastdepth_ros.runtime.bundle import Manifest
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.runtime.precision import AUTO, choose
from fastdepth_ros.settings import LIMITS
from fastdepth_ros.viewing import CELL

if TYPE_CHECKING:
    from fastdepth_ros.recording.anchor_file import Row
    from fastdepth_ros.recording.placed import Placed

LARGEST_PICTURE = 2**29
"""Bytes of a file; more than the largest picture that is decoded can have."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "images",
        nargs="+",
        type=Path,
        metavar="IMAGE",
        help="JPEG, PNG or BMP; an orientation in the file is ignored, as in the node",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder for what is written")
    parser.add_argument("--model", default=DEFAULT, help="name or folder of a bundle (default: %(default)s)")
    parser.add_argument("--target", default="host", help="what the bundle is compiled for (default: %(default)s)")
    parser.add_argument(
        "--precision",
        choices=LIMITS["precision"].choices,
        default=AUTO,
        help="of the network; auto is the fastest that loses next to nothing here (default: %(default)s)",
    )
    parser.add_argument("--threads", type=int, default=0, help="threads of the network (default: all cores)")
    parser.add_argument(
        "--output-size",
        choices=LIMITS["output_size"].choices,
        default="camera",
        help="the network's resolution, or the picture's own grid (default: %(default)s)",
    )
    parser.add_argument(
        "--focal",
        type=finite,
        metavar="PX",
        help="focal length of the camera at the picture's size; corrects depth and shapes the points "
        "(default: as in training)",
    )
    parser.add_argument(
        "--anchors",
        type=Path,
        metavar="FILE",
        help="measured depths of the pictures: CSV or YAML with u, v, metres and perhaps sigma, source, picture; or a"
        " recording whose sensors measured them",
    )
    parser.add_argument(
        "--anchors-at", type=finite, default=0.0, metavar="S", help="when, in a recording (default: at its beginning)"
    )
    parser.add_argument(
        "--anchor-extrinsics",
        default="",
        metavar="TEXT",
        help="where a recording's sensors are, seen from the camera; see the node's parameter",
    )
    parser.add_argument("--max-depth", type=finite, default=10.0, metavar="M", help="(default: %(default)g)")


def run(args: argparse.Namespace) -> int:
    """Write NAME.depth.png, NAME.depth.npy, NAME.colour.png and NAME.ply for every picture.

    With measured depths there is NAME.uncertainty.npy, too.

    Returns:
        0, or 1 where a picture could not be read; the others are done all the same.
    """
    _check_names(args.images)
    bundle = find_bundle(args.model)
    choice = choose(bundle, args.target, args.precision)
    engine = open_engine(module_for(bundle, args.target, choice.precision), args.threads)
    # About one point for each cell that the network answers; more would only repeat them.
    stride = 2 if args.output_size == "native" else 4
    settings = Settings(args.output_size, "32FC1", "xyzrgb", stride, max_depth=args.max_depth)
    given = Given.of(args, bundle.manifest) if args.anchors else None
    pipeline = Pipeline(engine, bundle.manifest, settings)
    with storing(args.out):
        args.out.mkdir(parents=True, exist_ok=True)
    names = ("picture", "depth [m]", "without depth", "network [ms]", "points", *(("anchors",) if given else ()))
    table = Table(*names, title=bundle.manifest.name)
    failed = 0
    for path in args.images:
        try:
            picture = _read(path)
            camera = _camera(picture, args.focal, bundle.manifest)
            if given:  # with a memory of its own: pictures in files need not be of one place
                pipeline = Pipeline(engine, bundle.manifest, settings)
            frame = given.run(pipeline, path, picture, camera) if given else pipeline.run(picture, camera)
        except (ImageError, AnchorError) as error:
            sys.stderr.write(f"fastdepth infer: {error}\n")
            failed += 1
            continue
        cell = _cell(picture, bundle.manifest, args.output_size == "native")
        words = _write(args.out / path.stem, frame, cell)
        table.add_row(path.name, *words, *((_used(frame),) if given else ()))
    console = Terminal()
    console.print(table)
    console.print(f"Computed in {choice.precision}: {choice.reason}.", highlight=False)
    if args.focal is None:
        console.print("No --focal was given: depth and points are those of a camera like the one in training.")
    console.print(f"Wrote depth as .depth.png (16 bit, mm, 0 = none), .depth.npy (m), .colour.png, .ply to {args.out}")
    return 1 if failed else 0


class Given:
    """Measured depths of the pictures, from a file or from a recording.

    Args:
        manifest: of the bundle.
        rows: of a file.
        placed: of a recording, the same for every picture.
    """

    def __init__(self, manifest: Manifest, rows: list[Row], placed: list[Placed]) -> None:
        self._manifest = manifest
        self._rows = rows
        self._placed = placed

    @classmethod
    def of(cls, args: argparse.Namespace, manifest: Manifest) -> Given:
        """Measured depths that ``--anchors`` names.

        Raises:
            AnchorError: it cannot be read, or holds nothing that can be used.
            RecordingError: it is a broken recording.
            SettingError: it does not say to which of several pictures it belongs.
        """
        from fastdepth_ros.recording.anchor_file import read_anchor_file

        path: Path = args.anchors
        if path.is_dir() or path.suffix in (".mcap", ".db3"):
            return cls(manifest, [], _recorded(path, args.anchors_at, args.anchor_extrinsics))
        rows = read_anchor_file(path)
        names = {image.name for image in args.images}
        if len(names) > 1 and not all(row.picture for row in rows):
            where = next(row.where for row in rows if not row.picture)
            raise SettingError(f"{where} does not say which picture it is of", "Add a column named picture.")
        if not any(row.picture in ("", *names) for row in rows):
            raise SettingError(
                f"{path} holds nothing of {', '.join(sorted(names))}", "Name the files in its column picture."
            )
        return cls(manifest, rows, [])

    def run(self, pipeline: Pipeline, path: Path, picture: Picture, camera: Intrinsics) -> DepthFrame:
        """Depth of a picture with what was measured of it.

        Raises:
            AnchorError: a pixel lies outside the picture.
        """
        if self._placed:
            return pipeline.run(picture, camera, anchors=self._sight, uncertainty=True)
        from fastdepth_ros.recording.anchor_file import anchors_of

        size = (picture.width, picture.height)
        view = self._manifest.view_of(*size)
        rows = [row for row in self._rows if row.picture in ("", path.name)]
        return pipeline.run(picture, camera, anchors=anchors_of(rows, view, *size), uncertainty=True)

    def _sight(self, metres: npt.NDArray[np.float32], seen: Intrinsics) -> list[Anchors]:
        return [placed.measurement.sight(metres, seen, 0.0).anchors for placed in self._placed]


def _recorded(path: Path, seconds: float, extrinsics: str) -> list[Placed]:
    """Measured depths of a recording at a time [s] of it."""
    # Messages are ROS's, and files are not.
    from fastdepth_ros.parameters import extrinsics_of
    from fastdepth_ros.recording import Recording, find_camera
    from fastdepth_ros.recording.anchors import find_anchors
    from fastdepth_ros.recording.content import frame_of
    from fastdepth_ros.recording.placed import Placer

    with Recording.open(path) as recording:
        try:
            camera = find_camera(recording, packets=True)
        except RecordingError:  # anchors alone were recorded; then extrinsics say where their sensors are
            camera = None
        found = find_anchors(recording, camera)
        if not found.sources:
            cause = f"{path} holds no measured depths, only {', '.join(sorted(recording.topics))}"
            raise AnchorError(cause, "It needs PointCloud2, LaserScan, Range, or a small depth image with camera_info.")
        frame = frame_of(recording, camera.image) if camera else ""
        return Placer(recording, found, frame, extrinsics_of(extrinsics)).place_at(seconds)


def _used(frame: DepthFrame) -> str:
    """Measured depths that had a say, and all, in words."""
    sources = frame.anchoring.sources if frame.anchoring else ()
    return f"{sum(source.used for source in sources)} of {sum(source.given for source in sources)}"


def _check_names(images: list[Path]) -> None:
    """Refuse two pictures whose answers would overwrite each other."""
    names = [path.stem for path in images]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise SettingError(f"two pictures are called {twice}", "Run them one after the other, with another --out each.")


def _read(path: Path) -> Picture:
    try:
        data = read(path, LARGEST_PICTURE)
    except OSError as error:
        raise ImageError(f"{path} is no picture ({error.strerror})", "Name a JPEG, PNG or BMP file.") from error
    return read_file(data, str(path))


def _camera(picture: Picture, focal: float | None, manifest: Manifest) -> Intrinsics:
    """The pinhole with that focal length, or with the training's, and the principal point in the picture's centre."""
    centre = (picture.width - 1) / 2, (picture.height - 1) / 2
    if focal is not None:
        if not focal > 0:
            raise SettingError(f"--focal is {focal:g}", "Use the camera matrix' fx, in pixels.")
        return Intrinsics(picture.width, picture.height, focal, focal, *centre)
    view = manifest.view_of(picture.width, picture.height)
    if manifest.training_focal is None:
        # Nothing is known: a picture as wide as it is far, about 53 degrees.
        return Intrinsics(picture.width, picture.height, picture.width, picture.width, *centre)
    fx, fy = manifest.training_focal
    horizontal = fx * view.width / manifest.input_width
    return Intrinsics(picture.width, picture.height, horizontal, fy * view.height / manifest.input_height, *centre)


def _cell(picture: Picture, manifest: Manifest, native: bool) -> float:
    """Side of the square of the depth map that has one answer of the network [px]."""
    if native:
        return CELL
    view = manifest.view_of(picture.width, picture.height)
    return CELL * view.height / manifest.input_height


def _write(stem: Path, frame: DepthFrame, cell: float) -> tuple[str, str, str, str]:
    """Write the files of one picture and say what is in them."""
    assert frame.depth is not None and frame.cloud is not None  # noqa: PT018 - both were asked for, the camera is known
    finite = np.isfinite(frame.depth)
    _write_picture(Path(f"{stem}.depth.png"), millimetres(frame.depth))
    numbers = io.BytesIO()
    np.save(numbers, frame.depth)
    write_file(Path(f"{stem}.depth.npy"), numbers.getvalue())
    _write_picture(Path(f"{stem}.colour.png"), relief(frame.depth, cell))
    if frame.uncertainty is not None:
        sure = io.BytesIO()
        np.save(sure, frame.uncertainty)
        write_file(Path(f"{stem}.uncertainty.npy"), sure.getvalue())
    points = write_ply(Path(f"{stem}.ply"), frame.cloud)
    span = f"{frame.depth[finite].min():.2f} to {frame.depth[finite].max():.2f}" if finite.any() else "none"
    return span, f"{1 - finite.mean():.1%}", f"{frame.stages['infer'] * 1000:.1f}", str(points)


def _write_picture(path: Path, pixels: npt.NDArray[Any]) -> None:
    write_file(path, cv2.imencode(".png", pixels)[1].tobytes())
