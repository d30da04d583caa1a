"""Two ways to use rclpy: past its executor, through what is not public, or as its documentation has it.

interface   what the node asks of either
private     the fast way: everything of rclpy that is not public is here, with the versions that it was run on
plain       the slow way: callbacks and a SingleThreadedExecutor, for every other version
choice      chooses one of them
"""
