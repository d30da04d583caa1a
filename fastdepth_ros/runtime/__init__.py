"""A model bundle and the engine that runs it. Needs numpy and the TVM runtime library; nothing of ROS, torch or TVM's compiler."""
