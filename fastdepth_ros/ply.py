"""Point clouds as PLY files, for MeshLab, CloudCompare, Open3D and the like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastdepth_ros.files.writing import write_file

_VERTEX = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])


def write_ply(path: Path, cloud: npt.NDArray[np.float32]) -> int:
    """Write the points of a coloured cloud; points without depth are left out.

    Args:
        path: of the file, binary little endian.
        cloud: (..., 4) as :class:`fastdepth_ros.cloud.CloudMaker` makes it: x, y, z [m] and the packed colour.

    Returns:
        Number of points that were written.
    """
    points = cloud.reshape(-1, 4)
    points = points[np.isfinite(points[:, 2])]
    vertices = np.empty(len(points), _VERTEX)
    vertices["xyz"] = points[:, :3]
    # The bytes of a packed colour are b, g, r, 0.
    vertices["rgb"] = np.ascontiguousarray(points[:, 3]).view(np.uint8).reshape(-1, 4)[:, 2::-1]
    header = (
        f"ply\nformat binary_little_endian 1.0\ncomment optical frame: x right, y down, z forward, in metres\n"
        f"element vertex {len(points)}\nproperty float x\nproperty float y\nproperty float z\n"
        f"property uchar red\nproperty uchar green\nproperty uchar blue\nend_header\n"
    )
    write_file(path, header.encode("ascii") + vertices.tobytes())
    return len(points)
