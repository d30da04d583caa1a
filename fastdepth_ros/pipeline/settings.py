"""Settings of the pipeline; what is allowed stands in :data:`fastdepth_ros.settings.LIMITS`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

from fastdepth_ros.errors import SettingError
from fastdepth_ros.settings import LIMITS, Cloud, DepthEncoding, Edges, OutputCamera, OutputSize, Rotation

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """Settings of the pipeline.

    Attributes:
        output_size: ``native`` is the network's resolution; ``camera`` is the picture's own grid, with no depth outside
            the view that the network sees.
        depth_encoding: ``32FC1`` is metres with NaN, +Inf and -Inf; ``16UC1`` is millimetres with 0 for all of them.
        cloud: fields of the points.
        cloud_stride: every n-th pixel of every n-th row becomes a point.
        min_depth, max_depth: answers outside are too close or out of range [m].
        max_uncertainty: depths whose standard deviation is larger are no answers [m]; 0 keeps all of them.
        cloud_sigma: whether points carry the standard deviation of their depth.
        output_camera: whose grid ``camera`` is, where the picture is distorted: ``rectified`` is the pinhole's, ``raw``
            the picture's own, in which each pixel looks up the depth of its ray.
        depth_scale: factor on the network's metres, before anchors correct what is left.
        rotation: angle by which the picture has to be turned clockwise to be upright, as the network sees it then;
            answers are in the picture's own grid all the same [degrees]; ``auto`` is the pipeline's ``turned``.
        steadiness: how much depth is a mean over the last pictures, see :mod:`fastdepth_ros.filters.steadiness`; 0 is
            not at all.
        edges: ``remove`` takes out what flies between a thing and what is behind it; ``guided`` gives depth the edges
            of the picture, but in a distorted picture's own grid; ``keep`` leaves it as it was answered.

    Raises:
        SettingError: a setting is outside what is allowed.
    """

    output_size: OutputSize = "native"
    depth_encoding: DepthEncoding = "32FC1"
    cloud: Cloud = "xyz"
    cloud_stride: int = 1
    min_depth: float = 0.1
    max_depth: float = 10.0
    max_uncertainty: float = 0.0
    cloud_sigma: bool = False
    output_camera: OutputCamera = "rectified"
    rotation: Rotation = "0"
    depth_scale: float = 1.0
    steadiness: float = 0.0
    edges: Edges = "keep"

    def __post_init__(self) -> None:
        for field in fields(self):
            LIMITS[field.name].check(field.name, getattr(self, field.name))
        if not self.min_depth < self.max_depth:
            cause = f"min_depth is {self.min_depth:g} m and max_depth is {self.max_depth:g} m"
            raise SettingError(cause, "Use 0 <= min_depth < max_depth.")

    @cached_property
    def every_pixel(self) -> bool:
        """Whether answers take colours from the picture itself; else from what the network sees."""
        return self.output_size == "camera" and (self.cloud == "xyzrgb" or self.edges == "guided")
