"""The network that was found: an entry like any other, and its share of the search's weights."""

from __future__ import annotations

from pathlib import Path

from fastdepth_ros.pruning.entry_file import write_entry
from fastdepth_ros.pruning.store import write_arrays
from fastdepth_ros.search.searcher import Searcher

ARRAYS = "weights.npz"
SOURCE = "fastdepth search, in the space {space} within {budget:g} ms: {milliseconds:.2f} ms by {latency}"


def write_found(searcher: Searcher, name: str) -> Path:
    """Write ``NAME.yaml`` and ``weights.npz`` into the run's folder.

    The weights are those that all candidates shared, with the normalisation measured for this network alone: a start
    for ``fastdepth train``, not its end.

    Args:
        searcher: a run that is finished.
        name: of the network.

    Returns:
        The entry's file.

    Raises:
        StorageError: a file cannot be written.
    """
    job, choice = searcher.job, searcher.log["found"]
    graph = job.space.graph(choice, name)
    write_arrays(searcher.out / ARRAYS, searcher.learning.model.arrays(graph, searcher.learning.pictures()))
    milliseconds = job.costs.milliseconds(job.space, choice)
    about = f"Found in the space {job.space.name} of {job.space.networks:.2g} networks within {job.budget:g} ms."
    source = SOURCE.format(space=job.space.name, budget=job.budget, milliseconds=milliseconds, latency=job.costs.about)
    path = searcher.out / f"{name}.yaml"
    write_entry(path, graph, job.space.height, job.space.width, about, source)
    return path
