"""Measured depths correct the network's answer, and say how sure it is. numpy and OpenCV, no ROS."""

from fastdepth_ros.anchoring.anchoring import Anchoring
from fastdepth_ros.anchoring.anchors import Anchors, Corrected, Report, SourceReport

__all__ = ["Anchoring", "Anchors", "Corrected", "Report", "SourceReport"]
