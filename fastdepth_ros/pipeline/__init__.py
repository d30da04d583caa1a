"""The way of one frame, without ROS: a picture and its camera in, metric depth and points out, each stage timed.

    prepare   cut the view out of the picture, scale it to the network's input, bring the channels to RGB; a lens that
              bends straight lines is undone by the same step
    look      ask whether the picture is worth it; where somebody wants to know
    infer     run the network
    steady    join the answer with those of before; where that is wanted
    anchor    correct the answer with measured depths, and say how sure it is; where there are any, or somebody asks
    edges     take out what flies between a thing and what is behind it; where that is wanted
    depth     limits, and the resolution that is wanted
    cloud     one point a pixel

:mod:`~.pipeline` is that way, :mod:`~.grid` the grid that answers lie in, :mod:`~.settings` what may be wanted, and
:mod:`~.frame` what comes out. Buffers are made when a size changes and written again with every frame: what
:meth:`Pipeline.run` returns is valid until it is called again, and is to be read alone.
"""

from fastdepth_ros.pipeline.frame import OUTPUTS, Cells, DepthEngine, DepthFrame
from fastdepth_ros.pipeline.pipeline import Pipeline
from fastdepth_ros.pipeline.settings import Settings

__all__ = ["OUTPUTS", "Cells", "DepthEngine", "DepthFrame", "Pipeline", "Settings"]
