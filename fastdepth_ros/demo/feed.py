"""Measured depths that go out beside the images of a run."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastdepth_ros.recording import Message, Recording, Topic

Points = npt.NDArray[np.floating[Any]]


class Feed(Protocol):
    """Messages of sensors, and what the node has to be told of them."""

    @property
    def words(self) -> str:
        """Sensors in words."""

    @property
    def topics(self) -> Sequence[Topic]:
        """Topics that are published, by the name in :class:`Message`."""

    @property
    def names(self) -> Mapping[str, str]:
        """Names of the topics -> names as published."""

    @property
    def followers(self) -> Collection[str]:
        """Names of topics whose stamps keep their distance from the images'; see the player."""

    @property
    def parameters(self) -> Mapping[str, object]:
        """Parameters of the node, as where the sensors are."""

    def beside(self, recording: Recording, camera: Sequence[str]) -> Iterator[Message]:
        """Messages of the camera's topics and of the sensors, in the order in which they go out."""

    def points(self, recorded: int) -> Points | None:
        """Points (n, 3) of an image in the camera's optical frame [m]; None where it has none.

        Args:
            recorded: stamp of the image in the recording [ns].
        """
