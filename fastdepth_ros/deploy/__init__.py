"""A folder for a robot: this package, a bundle compiled for its processor, and the one library of TVM that runs it."""

from fastdepth_ros.deploy.folder import deploy

__all__ = ["deploy"]
