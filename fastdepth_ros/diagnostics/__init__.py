"""Diagnostics of the node: windows of what happened, levels by documented thresholds, /diagnostics.

windows   numbers of the last seconds
monitor   what happened to the images, as the node's threads report it
inputs    whether images come
levels    what that means, and what to do about it
messages  the same as diagnostic_msgs; the only part that knows ROS
"""
