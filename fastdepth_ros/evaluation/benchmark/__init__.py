"""Speed of the network here, beside other runtimes, with the same weights and the same picture.

Every measurement is a process of its own, one at a time, and the runtimes take turns for several rounds: a machine's
clock, temperature and other programs change, and change for all alike. The other runtimes live in a virtual environment
of their own (``requirements/bench.txt``; torch in that of the training), so that they cannot get into the node's; the
modules ``runtimes``, ``graph``, ``*_model`` and ``*_int8`` run there and need nothing of this package but the network
table.

names       of files and ways, for those that lack the writers' packages
runtimes    the other runtimes: how to load a model and run it, in which ways
graph       what the writers have in common: onnx_model, tflite_model, ncnn_model, torch_model
onnx_graph  a writer of any graph of layers, for network_rounds
onnx_int8   ONNX Runtime's own tool quantises; openvino_int8: NNCF does
pictures    computed rooms, to calibrate with and to measure errors on
measure     one turn of one runtime, in a process of its own
answers     its answers to many pictures, in another
installed   what an interpreter lacks
processes   starts all of these
timings     what was measured
rounds      the turns of all, interleaved; whether the answers agree, and how far off they are
network_rounds  turns of several graphs with weights of noise; network_report: what was found
tables      what was found, as JSON and on the terminal
plot        the same as a picture
layers      kernel by kernel
start       start-up and memory of the engine
frame_cost  what a frame costs the node beside the network (`fastdepth bench --frame`)
several_cameras  a node of several cameras beside a node of one (`fastdepth bench --cameras 4`)
counted_node  depth_node whose network counts its own processor time, for that
aims        start-up, memory and frames beside what is aimed at
"""
