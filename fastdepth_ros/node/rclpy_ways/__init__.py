"""Two ways to use rclpy: past its executor, through what is not public, or as its documentation has it.

interface   what the node asks of either
private     the fast way, by what is not public of rclpy, with the versions that it was run on
private_executor  its timers
quick_log   its log
plain       the slow way: callbacks and a SingleThreadedExecutor, for every other version
choice      chooses one of them
"""
