"""The main job without launch: depth_node as a process, a recording played to it, and what came of it.

graph       a ROS graph of its own: domain, loopback, log folder
client      hears the node's answers and diagnostics, and writes them down
run         plays the recording to the node
results     what was seen, as numbers
truth       the answers beside the true depth
summary     summary.json, and the table on the terminal
gallery     frames of a run side by side
cloud_view  the cloud of a frame, from the side and from above
page        what the report shows of a run
outcome     all of this, put together and written
"""
