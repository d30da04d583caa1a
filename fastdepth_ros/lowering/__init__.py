"""Any graph of layers becomes a module: kernels by TVM, packed weights, and the calls between them as data.

FastDepth has a plan of its own in ``compiler``, which knows its blocks. Here each layer of a graph is one kernel, or
two where layers are fused, in the same layout and on the same tiles.

taps         a convolution of an enlarged map as several of the small one; no inserted zero is multiplied
kernels/     what runs: full and depthwise convolutions, separable pairs, pooling, sums, interpolation
drafts       kernel calls in the making, before anyone knows how wide a map's border is
plan         a graph becomes drafts: what is fused, what is never stored
storage      places of maps: slices of concatenations, memory reused by liveness
tiles        tiles of registers by a rule
build        objects, linking, and the module's folder
"""
