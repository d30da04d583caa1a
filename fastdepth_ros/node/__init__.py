"""The ROS node: parameters, topics and the lifecycle; what it does with an image is in ``fastdepth_ros.pipeline``.

depth_node   the lifecycle, and what is subscribed to and published
worker       the thread that answers images
inbox        where that thread waits for the camera's messages
intake       which image is answered, and why the others are not
answers      one image -> depth, camera_info and cloud, as messages
ending       being told to end, by a signal
services     what rclpy answers for every node, guarded
executor     runs everything else, in the main thread
camera       the newest camera_info that can be used
parameters   the table of ``fastdepth_ros.parameters`` as rclpy's
rate_limit   max_rate
power        profile, cores and niceness of the process
reports      /diagnostics and ~/performance
qos          of what the node hears and says, and its overrides
usage        depth_node --help
first_frame  the frame_id of a camera, for whoever starts RViz
process      memory and garbage collection of a process that passes images
"""
