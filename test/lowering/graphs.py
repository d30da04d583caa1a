"""Small graphs that have a layer of every kind, with channels and sides that no vector and no tile divides."""

from fastdepth_ros.network.builder import GraphBuilder
from fastdepth_ros.network.kinds import Add, Concatenate, Depthwise, Full, MaxPool, Transposed, Unpool, Upsample


def tiny():
    """Two kernels beside those of the ends."""
    to = GraphBuilder("tiny")
    to.add("first", Full(3, 2, "relu6", outputs=6))
    to.add("last", Full(1, 1, "none", "bias", 1))
    return to.graph()


def encoder_and_decoder():
    """Of a picture: inverted residuals, phases of full and depthwise convolutions, skips of both kinds."""
    to = _encoder_and_half_a_decoder("both-ways")
    to.add("far.dw", Depthwise(5, 1, "relu"))
    to.add("far.pw", Full(1, 1, "relu", outputs=9))
    to.add("last", Full(1, 1, "none", "bias", 1))
    return to.graph()


def of_a_bundle():
    """The same without its last depthwise convolution, so that every 2x2 pixels have one answer."""
    to = _encoder_and_half_a_decoder("of-a-bundle")
    to.add("last", Full(1, 1, "none", "bias", 1))
    return to.graph()


def _encoder_and_half_a_decoder(name):
    to = GraphBuilder(name)
    first = to.add("first", Full(3, 2, "relu6", outputs=19))
    to.add("expand", Full(1, 1, "hard-swish", outputs=37))
    to.add("dw", Depthwise(3, 1, "hard-swish"))
    project = to.add("project", Full(1, 1, "none", outputs=19))
    skip = to.add("sum", Add(), (first, project))
    to.add("down.dw", Depthwise(5, 2, "relu"))
    to.add("down.pw", Full(1, 1, "none", outputs=21))
    to.add("pool", MaxPool(3, 1))
    to.add("wide", Full(5, 1, "relu", outputs=13))
    to.add("up1", Upsample())
    to.add("near", Full(5, 1, "relu", outputs=11))
    to.add("join", Concatenate(), ("near", skip))
    to.add("joined.dw", Depthwise(3, 1, "none"))
    to.add("joined.pw", Full(1, 1, "relu", outputs=17))
    to.add("up2", Upsample())
    return to


def oddities():
    """Of five planes: transposed convolutions, interpolation, unpooling, what is enlarged and then joined."""
    to = GraphBuilder("oddities", inputs=5)
    start = to.add("start", Full(3, 1, "none", "bias", 10))
    to.add("slim", Transposed(4, 2, "relu", outputs=6))
    to.add("deconv", Transposed(5, 2, "none", "none", 9))
    pooled = to.add("pooled", MaxPool(5, 4))
    inserted = to.add("inserted", Unpool(), (start,))
    to.add("beside", Full(5, 1, "none", "none", 7), (inserted,))
    beside = to.add("beside.pool", MaxPool(3, 2))
    zeros = to.add("zeros.pool", MaxPool(3, 2), (inserted,))
    smooth = to.add("smooth", Upsample(2, "bilinear"), (pooled,))
    corners = to.add("corners", Upsample(2, "bilinear-corners"), (pooled,))
    near = to.add("near", Upsample(2), (pooled,))
    total = to.add("total", Add("hard-swish"), (smooth, corners, near))
    to.add("total.pool", MaxPool(3, 2))
    twice = to.add("twice", Concatenate(), ("total.pool", beside, beside, zeros))
    to.add("again", Concatenate(), (twice, "total.pool"))
    to.add("mixed", Full(1, 1, "relu", outputs=12))
    to.add("residual", Full(3, 1, "none", "bias", 12))
    to.add("sum", Add("relu"), ("mixed", "residual"))
    to.add("thrice", Upsample(3), ("sum",))
    to.add("thrice.conv", Depthwise(3, 3, "none", "none"))
    to.add("ends", Concatenate(), ("thrice.conv", "total.pool"))
    assert total
    return to.graph(loose=True)
