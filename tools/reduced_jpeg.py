"""Measures what decoding JPEG no larger than needed does to answers: `reduced_jpeg.py DATA... [--model BUNDLE]`.

DATA: folders or recordings with depth, as `fastdepth eval` takes them. Each picture goes through the pipeline three
times: as it is, as JPEG that is decoded whole, and as JPEG that is decoded as the node does it.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage

from fastdepth_ros.camera import View
from fastdepth_ros.evaluation.evaluate import FARTHEST, means
from fastdepth_ros.evaluation.frames import labelled
from fastdepth_ros.evaluation.metrics import evaluate
from fastdepth_ros.messages.images import read_compressed
from fastdepth_ros.models import DEFAULT, find_bundle
from fastdepth_ros.picture import Picture
from fastdepth_ros.pipeline import Pipeline, Settings
from fastdepth_ros.runtime.cache import module_for
from fastdepth_ros.runtime.engines import open_engine

QUALITY = 90


def jpeg_of(pixels):
    """RGB pixels as a message."""
    message = CompressedImage(format="jpeg")
    _, data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    message.data.frombytes(data.tobytes())
    return message


def compared(pipeline, manifest, picture, frame):
    """Every measure of one picture's answer."""
    answer = pipeline.run(picture, frame.camera, cloud=False).depth
    size = answer.shape[::-1]
    view = View.of(manifest.view, picture.width, picture.height, *size, picture.reduction)
    truth = cv2.resize(view.cut(frame.depth), size, interpolation=cv2.INTER_NEAREST_EXACT)
    return evaluate(answer, np.where(truth > 0, truth, np.float32(np.nan)))


def main():
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="+", type=Path)
    parser.add_argument("--model", default=DEFAULT)
    args = parser.parse_args()
    bundle = find_bundle(args.model)
    settings = Settings("native", "32FC1", "off", min_depth=0.0, max_depth=FARTHEST)
    pipeline = Pipeline(open_engine(module_for(bundle)), bundle.manifest, settings)
    for folder in args.data:
        rows = {"as it is": [], "JPEG, decoded whole": [], "JPEG, decoded as the node does": []}
        factors = set()
        for _, frame in labelled([folder]):
            message = jpeg_of(frame.pixels)
            reduced = read_compressed(message, pipeline.reduction)
            factors.add(reduced.reduction)
            ways = (Picture(frame.pixels, "rgb"), read_compressed(message), reduced)
            for found, picture in zip(rows.values(), ways, strict=True):
                found.append(compared(pipeline, bundle.manifest, picture, frame))
        count = len(rows["as it is"])
        sys.stdout.write(f"{folder.name}: {count} pictures, reduced {sorted(factors)} times\n")
        for way, found in rows.items():
            mean = means(found)
            sys.stdout.write(f"    {way:32} delta1 {mean['delta1']:.3f}  RMSE {mean['rmse_m']:.3f} m\n")


if __name__ == "__main__":
    main()
