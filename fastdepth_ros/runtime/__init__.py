"""A model bundle and the engine that runs it. Needs numpy and the TVM runtime; no ROS, no torch, no TVM compiler."""
