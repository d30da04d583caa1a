"""Values of all parameters; their meaning is in :data:`fastdepth_ros.parameters.TABLE`."""

from __future__ import annotations

from dataclasses import dataclass, fields

from fastdepth_ros import models
from fastdepth_ros.codec.decoder import MAX_PIXELS
from fastdepth_ros.pipeline import Settings
from fastdepth_ros.settings import (
    AnchoringMode,
    AnchorScale,
    Cloud,
    CompressedDepth,
    DepthEncoding,
    Edges,
    GateMode,
    ImageTransport,
    OutputCamera,
    OutputSize,
    Precision,
    Rectify,
    Rotation,
)

SHIPPED, FROM_PROFILE, ALL = "shipped", "profile", "all"
"""Words that stand for a file of profiles, and for cores."""

NONE = "none"
"""The word for no pose and no frame: rclpy's parameters know no empty value that tools show."""


@dataclass(frozen=True)
class Parameters:
    """The values of all parameters, checked. Their meaning is in :data:`fastdepth_ros.parameters.TABLE`."""

    model: str = models.DEFAULT
    target: str = "host"
    precision: Precision = "auto"
    threads: int = 0
    cameras: str = NONE
    image_transport: ImageTransport = "raw"
    max_pixels: int = MAX_PIXELS
    mono16_bits: int = 0
    camera_info_url: str = NONE
    rectify: Rectify = "auto"
    view_fov: float = 0.0
    rotation: Rotation = Settings.rotation
    mask: str = NONE
    gate: GateMode = "warn"
    output_size: OutputSize = Settings.output_size
    output_camera: OutputCamera = Settings.output_camera
    depth_encoding: DepthEncoding = Settings.depth_encoding
    compressed_depth_format: CompressedDepth = "png"
    cloud: Cloud = Settings.cloud
    cloud_stride: int = Settings.cloud_stride
    min_depth: float = Settings.min_depth
    max_depth: float = Settings.max_depth
    depth_scale: float = Settings.depth_scale
    calibration_distance: float = 0.0
    calibration_pixel: str = NONE
    max_uncertainty: float = Settings.max_uncertainty
    cloud_sigma: bool = Settings.cloud_sigma
    steadiness: float = Settings.steadiness
    edges: Edges = Settings.edges
    anchoring: AnchoringMode = "auto"
    anchor_scale: AnchorScale = "metric"
    anchor_max_age: float = 0.5
    anchor_extrinsics: str = NONE
    camera_height: float = 0.0
    camera_pitch: float = 0.0
    floor_frame: str = NONE
    scan_output_frame: str = NONE
    obstacle_min_height: float = 0.1
    obstacle_max_height: float = 1.0
    obstacle_range_min: float = 0.1
    obstacle_range_max: float = 10.0
    obstacle_leaf: float = 0.0
    obstacle_clearing: float = 0.0
    max_rate: float = 0.0
    stale_after: float = 2.0
    diagnostics_period: float = 1.0
    power_profile: str = "max-n"
    power_file: str = SHIPPED
    manage_board_mode: bool = False
    nvpmodel_command: str = "nvpmodel"
    board_root: str = "/"
    cpu_affinity: str = FROM_PROFILE
    niceness: int = 0
    autostart: bool = True

    @property
    def pipeline(self) -> Settings:
        """The part that the pipeline knows.

        Raises:
            SettingError: min_depth is not below max_depth.
        """
        return Settings(**{each.name: getattr(self, each.name) for each in fields(Settings)})
