"""A model bundle: a folder with a manifest, weights and a model card, and the proof that none of them was altered.

models/<name>/manifest.json         what this model is, and the sha256 of every other file
              weights.safetensors   arrays named as in the network table (float32 or float16)
              MODEL_CARD.md
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from fastdepth_ros.camera import PAPER_VIEW, ViewSpec
from fastdepth_ros.errors import BundleError, FastDepthError
from fastdepth_ros.network import Network, check_weights

FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
CARD = "MODEL_CARD.md"


def sha256(path: Path) -> str:
    """The sha256 of a file, as 64 hexadecimal digits."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself.

    Attributes:
        name: the bundle's name, that of its folder.
        network: the table of layers.
        input_width, input_height: the network's input [px]; multiples of 32.
        view: the part of the camera's picture that the network sees.
        training_focal: focal length (x, y) of the training pictures in the network's input [px]; None if unknown.
        min_depth, max_depth: range in which the answers are valid [m].
        licence: SPDX expression, or words.
        trained_on: the data that the weights came from, in words.
        anchoring: what is known of the weights' errors, as :class:`fastdepth_ros.anchoring.prior.Prior` reads it; None
            where it was not learned.
        files: file name -> sha256.
    """

    name: str
    network: Network
    input_width: int = 224
    input_height: int = 224
    view: ViewSpec = PAPER_VIEW
    training_focal: tuple[float, float] | None = None
    min_depth: float = 0.1
    max_depth: float = 10.0
    licence: str = "unstated"
    trained_on: str = "unstated"
    files: Mapping[str, str] | None = None
    anchoring: Mapping[str, float] | None = None

    def to_json(self) -> dict[str, Any]:
        """The manifest as the file holds it."""
        return {
            "format": FORMAT,
            "name": self.name,
            "network": self.network.to_json(),
            "input": {"width": self.input_width, "height": self.input_height, "pixels": "RGB / 255"},
            "view": vars(self.view),
            "training_focal_px": list(self.training_focal) if self.training_focal else None,
            "depth_m": {"min": self.min_depth, "max": self.max_depth},
            "licence": self.licence,
            "trained_on": self.trained_on,
            **({"anchoring": dict(self.anchoring)} if self.anchoring else {}),
            "files": dict(self.files or {}),
        }

    @classmethod
    def from_json(cls, text: Mapping[str, Any], path: Path) -> Manifest:
        """Read what :meth:`to_json` wrote; ``path`` is named in errors.

        Raises:
            BundleError: a key is missing or holds what it must not.
        """
        try:
            if text["format"] != FORMAT:
                cause = f"{path} has format {text['format']}, this version reads {FORMAT}"
                raise BundleError(cause, "Import the model again with this version.")
            focal = text["training_focal_px"]
            manifest = cls(
                name=str(text["name"]),
                network=Network.from_json(text["network"]),
                input_width=int(text["input"]["width"]),
                input_height=int(text["input"]["height"]),
                view=ViewSpec(**{key: int(value) for key, value in text["view"].items()}),
                training_focal=(float(focal[0]), float(focal[1])) if focal else None,
                min_depth=float(text["depth_m"]["min"]),
                max_depth=float(text["depth_m"]["max"]),
                licence=str(text["licence"]),
                trained_on=str(text["trained_on"]),
                files={str(name): str(digest) for name, digest in text["files"].items()},
                anchoring=dict(text["anchoring"]) if text.get("anchoring") else None,
            )
        except FastDepthError:
            raise
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise BundleError(
                f"{path} cannot be read ({error!r})", "Copy the bundle again or import the model again."
            ) from error
        for side in (manifest.input_width, manifest.input_height):
            if side < 32 or side % 32:
                raise BundleError(f"{path} has an input side of {side} pixels", "Sides have to be multiples of 32.")
        if min(vars(manifest.view).values()) < 1:
            raise BundleError(
                f"{path} has an empty view {vars(manifest.view)}", "Every side has to be at least 1 pixel."
            )
        return manifest


@dataclass(frozen=True)
class Bundle:
    """A model bundle whose files were held against their manifest."""

    path: Path
    manifest: Manifest

    @classmethod
    def open(cls, path: Path | str) -> Bundle:
        """Read the manifest and check every file that it names.

        Raises:
            BundleError: the folder, the manifest or a file is missing, or a file's sha256 is another.
        """
        folder = Path(path)
        file = folder / MANIFEST
        if not file.is_file():
            cause = f"{folder} is no model bundle: it holds no {MANIFEST}"
            raise BundleError(cause, "Name a folder that `fastdepth import` made, or one of `fastdepth models list`.")
        try:
            text = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BundleError(f"{file} cannot be read ({error})", "Copy the bundle again.") from error
        bundle = cls(folder, Manifest.from_json(text, file))
        bundle.verify()
        return bundle

    def verify(self) -> None:
        """Check the sha256 of every file that the manifest names.

        Raises:
            BundleError: a file is missing or was altered, or the weights are not in the manifest.
        """
        files = self.manifest.files or {}
        if WEIGHTS not in files:
            raise BundleError(f"{self.path / MANIFEST} names no {WEIGHTS}", "Import the model again.")
        for name, digest in files.items():
            file = self.path / name
            if Path(name).is_absolute() or ".." in Path(name).parts:
                raise BundleError(f"{self.path / MANIFEST} names {name}, outside the bundle", "Do not use this bundle.")
            if not file.is_file():
                raise BundleError(f"{file} is missing", "Copy the bundle again.")
            if sha256(file) != digest:
                raise BundleError(f"{file} was altered: its sha256 is not the manifest's", "Copy the bundle again.")

    def weights(self) -> dict[str, npt.NDArray[np.float32]]:
        """The weights in float32, held against the network table.

        Raises:
            BundleError: the file cannot be read.
            WeightsError: an array does not fit its layer.
        """
        file = self.path / WEIGHTS
        try:
            arrays = load_file(file)
        except (OSError, SafetensorError, ValueError) as error:
            raise BundleError(f"{file} cannot be read ({error})", "Copy the bundle again.") from error
        check_weights(self.manifest.network, arrays)
        return {name: array.astype(np.float32) for name, array in arrays.items()}

    @property
    def weights_sha256(self) -> str:
        return (self.manifest.files or {})[WEIGHTS]


def write_bundle(
    folder: Path, manifest: Manifest, weights: Mapping[str, npt.NDArray[Any]], card: str | None = None
) -> Bundle:
    """Write a bundle and open it again.

    The manifest is written last, so that a bundle that was cut short is refused and not half used.

    Args:
        folder: made where it does not exist.
        manifest: ``files`` is filled in here.
        weights: arrays as in the network table, float32 or float16, stored as they are.
        card: the text of the model card; None keeps the one that is there.

    Raises:
        WeightsError: an array does not fit its layer.
    """
    check_weights(manifest.network, weights)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MANIFEST).unlink(missing_ok=True)
    # Not save_file, whose files nobody but their owner may read: another user may run the robot.
    (folder / WEIGHTS).write_bytes(save({name: np.ascontiguousarray(array) for name, array in weights.items()}))
    if card is not None:
        (folder / CARD).write_text(card, encoding="utf-8")
    return seal(folder, manifest)


def seal(folder: Path, manifest: Manifest) -> Bundle:
    """Write the manifest with the sha256 of every file that is in the folder now, and open the bundle."""
    names = sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST)
    files = {name: sha256(folder / name) for name in names}
    text = json.dumps({**manifest.to_json(), "files": files}, indent=2) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return Bundle.open(folder)
