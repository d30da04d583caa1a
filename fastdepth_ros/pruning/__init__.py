"""NetAdapt: a network loses channels until it is as fast as it has to be, by times that were measured.

Yang et al., "NetAdapt", ECCV 2018, arXiv 1804.03230; FastDepth's pruned network was found by it.

widths       channels that may go, and which layers lose them together
filters      which of them stay, and arrays without the others
latency      milliseconds of any widths, by a table; measure (this machine) and board (a TX2) make tables
schedule     steps that reach the budget
proposals    the least cut of each group of layers that saves enough, and the best of all
judge        accuracy without training: the share of the weights that is kept
learner      accuracy after some training (torch); unfold: folded weights as a network that can be trained
run          the loop, which goes on where it was killed
entry_file   the found network as an entry; figure: its picture
"""
