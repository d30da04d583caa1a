"""The ROS node: parameters, topics and the lifecycle; what it does with an image is in ``fastdepth_ros.pipeline``.

run          the process: from its start to its end
depth_node   the lifecycle, the parameters, and what is done now and then
camera_set   the cameras of the node, and their services
one_camera   a camera of the node: its topics, calibration, parameters and answers
turns        several cameras take turns, and share a rate
configured   what a configured node has: the model, and the thread that answers images with it
active       what a camera of an active node has besides: subscribers
rclpy_ways   how rclpy is used: what of it is not public is there, and nowhere else
worker       a thread that prepares itself, works, and hands its work on
newest_image which image is answered, and what became of the others
answers      one image -> depth, camera_info and cloud, as messages
known_camera the calibration that is of an image's size
publishing   in which order the answers to an image go out
topics       publishers and subscribers, with a user's QoS
camera_info  the newest camera_info that can be used
anchor_*     what is measured besides
careful_node a lifecycle node that what it is given, or hears, cannot end
clock        the node's time, and /clock
starting     why ROS does not start, in a sentence
transitions  which state of the lifecycle follows
faults       what is raised, told and outlived
ending       being told to end, by a signal
services     what rclpy answers for every node, guarded
parameters   the table of ``fastdepth_ros.parameters`` as rclpy's
own_parameters  what each of several cameras may have of its own
declared     a row of that table as a parameter of rclpy's
rate_limit   max_rate
power        profile, cores and niceness of the process
reports      /diagnostics and ~/performance
camera_report  what they say of a camera
report_timer when they are made
qos          QoS of the topics, and its overrides
usage        depth_node --help
first_frame  the frame_id of a camera, for whoever starts RViz
process      memory and garbage collection of a process that passes images
"""
