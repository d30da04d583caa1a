"""Measures what the linear one-pass scaling of large pictures costs: `decimation.py [BUNDLE] [--poses 16]`.

At 1920x1080 the view is scaled down 5.9 times, and OpenCV's linear scaling reads 2 x 2 pixels of each 5.9 x 4.4. The
computed room is filmed at that size, with the sensor's noise of each pixel and exact depth, and shown to the network
scaled linearly, linearly after a box filter, and by area. Per way: accuracy, how much the answer trembles when nothing
but the noise changes, and the processor time of the scaling on one thread.
"""

import argparse
import sys
import time

import cv2
import numpy as np

from fastdepth_ros.camera import Intrinsics, View
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.runtime import processor
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine
from fastdepth_ros.scene.path import pose_at
from fastdepth_ros.scene.render import Renderer
from fastdepth_ros.scene.room import build_room

CAMERA = Intrinsics(1920, 1080, 1181.0, 1181.0, 959.5, 539.5)
REPEATS = 6
"""Pictures from one pose, with other noise."""


def boxed(factor):
    """Scaling by a whole factor by area, which OpenCV does fast, then linearly."""

    def scale(cut, size):
        height, width = (n // factor * factor for n in cut.shape[:2])
        small = (width // factor, height // factor)
        return cv2.resize(cv2.resize(cut[:height, :width], small, interpolation=cv2.INTER_AREA), size)

    return scale


WAYS = {
    "linear": lambda cut, size: cv2.resize(cut, size),
    "half by area, then linear": boxed(2),
    "quarter by area, then linear": boxed(4),
    "area": lambda cut, size: cv2.resize(cut, size, interpolation=cv2.INTER_AREA),
}


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bundle", nargs="?", default=DEFAULT)
    parser.add_argument("--poses", type=int, default=16)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    bundle = find_bundle(args.bundle)
    engine, manifest = open_engine(module_for(bundle)), bundle.manifest
    size = (manifest.input_width, manifest.input_height)
    view = View.of(manifest.view, CAMERA.width, CAMERA.height, *size)
    renderer = Renderer(build_room(), CAMERA)
    frames = [renderer.render(pose_at(i / args.poses), i) for i in range(args.poses)]
    alike = [renderer.render(pose_at(0.3), 1000 + i) for i in range(REPEATS)]
    truth = np.stack(
        [cv2.resize(view.cut(f.depth), (size[0] // 2, size[1] // 2), interpolation=cv2.INTER_NEAREST) for f in frames]
    )

    def answer(frame, scale):
        engine.input[:] = scale(view.cut(frame.picture), size)
        return engine.run().copy()

    sys.stdout.write(f"{bundle.manifest.name} on {processor.name()}, {args.poses} pictures of 1920x1080\n")
    for name, scale in WAYS.items():
        found = evaluate(np.stack([answer(frame, scale) for frame in frames]), truth.astype(np.float32))
        trembling = np.stack([answer(frame, scale) for frame in alike]).std(axis=0).mean()
        cut, times = view.cut(frames[0].picture), []
        for _ in range(50):
            begin = time.thread_time()
            scale(cut, size)
            times.append(time.thread_time() - begin)
        sys.stdout.write(
            f"{name:30} delta1 {found['delta1']:.3f}  RMSE {found['rmse_m']:.3f} m"
            f"  noise {trembling * 1000:4.1f} mm  {np.median(times) * 1000:.2f} ms\n"
        )


if __name__ == "__main__":
    main()
