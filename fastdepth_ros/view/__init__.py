"""``fastdepth view``: a page in a browser that shows what the node sees, says and costs, and moves its parameters.

listener    a ROS node beside it that hears the newest of each topic, and asks its parameter services
moment      what is heard of one frame, as pictures and coloured points
figures     what /diagnostics says, as a table and as problems
knobs       which parameters can be moved, and how far
server      the web server: viser's, for this page alone
page        what is shown where
run         looks, and shows, as often as was asked
"""
