"""Metric depth from one camera: FastDepth compiled by TVM, as a ROS 2 node and as a command."""

__version__ = "0.1.0"
