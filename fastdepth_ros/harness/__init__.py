"""The node seen from outside: depth_node as a process, and a ROS node beside it that talks to it.

process     start it, watch it, end it
bystander   a ROS node of its own in a thread of the calling process
operator    parameters and services of a node that runs already
measured    messages of what its other nodes measure: points, scans, ranges, small depth images
"""
