"""Manifest of a bundle, and the bounds of what it may say."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy.typing as npt

from fastdepth_ros.camera import PAPER_VIEW, View, ViewSpec
from fastdepth_ros.errors import BundleError, FastDepthError, NetworkError, SettingError, brief, quoted
from fastdepth_ros.files.names import check_name, check_text
from fastdepth_ros.files.reading import real, whole
from fastdepth_ros.network import Network, check_weights
from fastdepth_ros.network.graph import Graph
from fastdepth_ros.network.halved import halved
from fastdepth_ros.network.sizes import sizes
from fastdepth_ros.network.stored import from_json, to_json
from fastdepth_ros.runtime.losses import Losses

FORMAT = 1
MANIFEST = "manifest.json"
WEIGHTS = "weights.safetensors"
CARD = "MODEL_CARD.md"

LARGEST_SIDE, MOST_PIXELS = 4096, 2048 * 2048
"""Largest input of the network [px]; more would take gigabytes to compile and to run."""

MOST_NUMBERS = 2**28
"""Most numbers of a map of a graph: a gigabyte of float32."""

FARTHEST = 1000.0
"""Metres; no answer of a network for rooms and halls is meant beyond."""

MOST_FILES = 1000
_DIGEST = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """Manifest of a bundle.

    Attributes:
        name: the bundle's name, that of its folder.
        network: FastDepth's table of layers, or another network's graph.
        input_width, input_height: the network's input [px]; multiples of 32.
        view: the part of the camera's picture that the network sees.
        training_focal: focal length (x, y) of the training pictures in the network's input [px]; None if unknown.
        min_depth, max_depth: range in which the answers are valid [m].
        licence: SPDX expression, or words.
        trained_on: the data that the weights came from, in words.
        anchoring: what is known of the weights' errors, as :class:`fastdepth_ros.anchoring.prior.Prior` reads it; None
            where it was not learned.
        losses: what other precisions than float32 lose of accuracy; None where it was not measured.
        files: file name -> sha256.
    """

    name: str
    network: Network | Graph
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
    losses: Losses | None = None

    def view_of(self, width: int, height: int, reduction: int = 1) -> View:
        """The view that the network has of a ``width`` x ``height`` picture, see :meth:`View.of`."""
        return View.of(self.view, width, height, self.input_width, self.input_height, reduction)

    @property
    def is_graph(self) -> bool:
        """Whether the network is none of FastDepth's tables."""
        return isinstance(self.network, Graph)

    @property
    def table(self) -> Network:
        """FastDepth's table.

        Raises:
            SettingError: the network is another one.
        """
        if isinstance(self.network, Graph):
            cause = f"{self.name} is of {self.network.name}, a graph, and this is for FastDepth's own networks"
            raise SettingError(cause, "docs/networks.md says what is there for graphs.")
        return self.network

    def check_weights(self, weights: Mapping[str, npt.NDArray[Any]]) -> None:
        """Hold arrays against the network.

        Raises:
            WeightsError: names the first layer that does not fit.
        """
        if isinstance(self.network, Graph):
            self.network.check_weights(weights)
        else:
            check_weights(self.network, weights)

    def to_json(self) -> dict[str, Any]:
        """The manifest as the file holds it."""
        return {
            "format": FORMAT,
            "name": self.name,
            "network": to_json(self.network) if isinstance(self.network, Graph) else self.network.to_json(),
            "input": {"width": self.input_width, "height": self.input_height, "pixels": "RGB / 255"},
            "view": vars(self.view),
            "training_focal_px": list(self.training_focal) if self.training_focal else None,
            "depth_m": {"min": self.min_depth, "max": self.max_depth},
            "licence": self.licence,
            "trained_on": self.trained_on,
            **({"anchoring": dict(self.anchoring)} if self.anchoring else {}),
            **({"precision_losses": self.losses.to_json()} if self.losses else {}),
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
                cause = f"{path} has format {quoted(text['format'])}, this version reads {FORMAT}"
                raise BundleError(cause, "Import the model again with this version.")
            focal, network = text["training_focal_px"], text["network"]
            manifest = cls(
                name=text["name"],
                network=from_json(network) if "layers" in network else Network.from_json(network),
                input_width=whole(text["input"]["width"]),
                input_height=whole(text["input"]["height"]),
                view=ViewSpec(**{key: whole(value) for key, value in text["view"].items()}),
                training_focal=(real(focal[0]), real(focal[1])) if focal else None,
                min_depth=real(text["depth_m"]["min"]),
                max_depth=real(text["depth_m"]["max"]),
                licence=text["licence"],
                trained_on=text["trained_on"],
                files=dict(text["files"].items()),
                anchoring=dict(text["anchoring"].items()) if text.get("anchoring") else None,
                losses=Losses.from_json(text["precision_losses"]) if text.get("precision_losses") else None,
            )
        except FastDepthError:
            raise
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
            raise BundleError(
                f"{path} cannot be read ({brief(repr(error), 300)})", "Copy the bundle again or import the model again."
            ) from error
        manifest.check(path)
        return manifest

    def check(self, path: Path) -> None:
        """Hold the values against their bounds; ``path`` is named in errors.

        Raises:
            BundleError: a value is outside of them.
        """
        try:
            check_name("its name", self.name)
            check_text("its licence", self.licence)
            check_text("its trained_on", self.trained_on)
        except SettingError as error:
            raise BundleError(f"{path} is refused: {error.cause}", error.remedy) from error
        sides = self.input_width, self.input_height
        for side in sides:
            if not 32 <= side <= LARGEST_SIDE or side % 32:
                cause = f"{path} has an input side of {quoted(side)} pixels"
                raise BundleError(cause, f"Sides have to be multiples of 32, at most {LARGEST_SIDE}.")
        if isinstance(self.network, Graph):
            self._check_graph(self.network, path)
        if sides[0] * sides[1] > MOST_PIXELS:
            cause = f"{path} has an input of {sides[0]}x{sides[1]} pixels"
            raise BundleError(cause, f"No more than {MOST_PIXELS} pixels can be compiled.")
        self._check_geometry(path)
        check_files(self.files or {}, path)

    def _check_graph(self, graph: Graph, path: Path) -> None:
        """See that its maps fit the picture, and a computer's memory."""
        try:
            small = halved(graph)
            found = sizes(small, self.input_height, self.input_width)
        except NetworkError as error:
            raise BundleError(f"{path} is refused: {error.cause}", error.remedy) from error
        for name, (rows, columns) in found.items():
            if small.channels[name] * rows * columns > MOST_NUMBERS:
                cause = f"{path} has a map of {small.channels[name]}x{rows}x{columns} numbers, {name}"
                raise BundleError(cause, f"No map may have more than {MOST_NUMBERS}.")

    def _check_geometry(self, path: Path) -> None:
        view = vars(self.view)
        if min(view.values()) < 1:
            raise BundleError(f"{path} has an empty view {view}", "Every side has to be at least 1 pixel.")
        if max(view.values()) > 2**16:
            raise BundleError(f"{path} has a view of {quoted(view)}", f"No side has more than {2**16} pixels.")
        if not 0 <= self.min_depth < self.max_depth <= FARTHEST:
            cause = f"{path} answers from {self.min_depth:g} to {self.max_depth:g} m"
            raise BundleError(cause, f"The range has to be within 0 to {FARTHEST:g} m.")
        for focal in self.training_focal or ():
            if not (math.isfinite(focal) and 1 <= focal <= 2**20):
                raise BundleError(f"{path} has a training focal length of {focal:g} px", "Import the model again.")


def check_files(files: Mapping[str, str], path: Path) -> None:
    """Hold the names and digests of a manifest against what they may be.

    Raises:
        BundleError: a name leads out of the bundle, or is written in a way that it should not be.
    """
    never = "Do not use this bundle."
    if len(files) > MOST_FILES:
        raise BundleError(f"{path} names {len(files)} files", never)
    for name in files:
        plain = isinstance(name, str) and 0 < len(name) < 256 and name.isprintable() and "\\" not in name
        if not plain or PurePosixPath(name).as_posix() != name:
            raise BundleError(f"{path} names {quoted(name)}, which is no name of a file", never)
        if name.startswith("/") or ".." in PurePosixPath(name).parts or name in (".", MANIFEST):
            raise BundleError(f"{path} names {name}, outside the bundle", never)
    if WEIGHTS not in files:
        raise BundleError(f"{path} names no {WEIGHTS}", "Import the model again.")
    for name, digest in files.items():
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise BundleError(f"{path} has no sha256 for {name}: {quoted(digest)}", "Copy the bundle again.")
