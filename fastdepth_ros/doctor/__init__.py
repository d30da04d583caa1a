"""Whether depth will work on this machine: one look at everything that has to fit, each with its remedy.

Nothing here changes the machine, and nothing is needed to ask: without ROS, TVM or a model it says what is missing.
"""

from fastdepth_ros.doctor.examination import Question, examine

__all__ = ["Question", "examine"]
