"""How fast the network is here, beside other runtimes, with the same weights and the same picture.

Every measurement is a process of its own, one at a time, and the runtimes take turns for several rounds: a machine's
clock, temperature and other programs change, and change for all alike. The other runtimes live in a virtual environment
of their own (``requirements/bench.txt``), so that they cannot get into the node's; the modules ``runtimes`` and
``onnx_model`` run there and need nothing of this package but the network table.
"""
