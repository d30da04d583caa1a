"""A graph made layer by layer: each reads the one before, unless it says otherwise."""

from __future__ import annotations

from collections.abc import Sequence

from fastdepth_ros.errors import NetworkError, quoted
from fastdepth_ros.network.graph import MOST_LAYERS, PICTURE, REMEDY, Graph, Node
from fastdepth_ros.network.layer import Layer, MisfitError
from fastdepth_ros.network.table import INPUT_CHANNELS


class GraphBuilder:
    """A graph in the making, which blocks add their layers to.

    Args:
        name: of the network.
        inputs: channels of the picture.

    Attributes:
        here: name of the layer that the next one reads.
        part: of the layers that come next, ``encoder`` or ``decoder``.
    """

    def __init__(self, name: str, inputs: int = INPUT_CHANNELS) -> None:
        self.name, self.inputs = name, inputs
        self.here, self.part = PICTURE, ""
        self._nodes: list[Node] = []
        self._channels = {PICTURE: inputs}
        self._ends: dict[str, str] = {}

    @property
    def channels(self) -> int:
        """Channels of the map that the next layer reads."""
        return self._channels[self.here]

    def add(self, name: str, layer: Layer, reads: Sequence[str] = ()) -> str:
        """A layer that reads the one before, or those that ``reads`` names; the next one reads it.

        Returns:
            Its name.

        Raises:
            NetworkError: it cannot read them, or there is no such layer; the cause names the layer.
        """
        if len(self._nodes) >= MOST_LAYERS:
            raise NetworkError(f"{self.name}: layer {name} is one more than {MOST_LAYERS}", REMEDY)
        names = tuple(self.end(read) for read in reads or (self.here,))
        try:
            layer.check()
            self._channels[name] = layer.channels(*(self._channels[read] for read in names))
        except MisfitError as misfit:
            raise NetworkError(f"{self.name}: layer {name}: {misfit}", REMEDY) from None
        self._nodes.append(Node(name, layer, names, self.part))
        self.here = name
        return name

    def close(self, block: str) -> None:
        """Let ``block`` be another name of the layer that was added last."""
        self._ends[block] = self.here

    def end(self, name: str) -> str:
        """Name of the layer whose answer is that of a block, or of a layer.

        Raises:
            NetworkError: there is neither before here.
        """
        found = self._ends.get(name, name)
        if found not in self._channels:
            raise NetworkError(f"{self.name}: {quoted(name)} is no layer or block before the one that reads it", REMEDY)
        return found

    def graph(self, *, loose: bool = False) -> Graph:
        """The network.

        Raises:
            NetworkError: as :class:`~fastdepth_ros.network.graph.Graph`.
        """
        return Graph(self.name, tuple(self._nodes), self.inputs, loose)
