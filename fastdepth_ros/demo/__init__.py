"""The main job without launch: depth_node as a process, a recording played to it, and what came of it.

graph       a ROS graph of its own: domain, loopback, log folder
process     depth_node as a process: start, watch, end
bystander   a ROS node beside it, in a thread of this process
client      hears the node's answers and diagnostics, and writes them down
run         plays the recording to the node
results     what was seen, as numbers
truth       the answers beside the true depth
accuracy    how far they are from it
summary     summary.json, and the table on the terminal
gallery     frames of a run side by side
cloud_view  the cloud of a frame, from the side and from above
page        what the report shows of a run
frame_cost  what a frame costs the node beside the network (`fastdepth bench --frame`)
counted_node  depth_node whose network counts its own processor time, for that
outcome     all of this, put together and written
"""
