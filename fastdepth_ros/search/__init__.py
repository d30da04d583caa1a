"""Differentiable search for a network within milliseconds that were measured.

Cai et al., "ProxylessNAS", arXiv 1812.00332; Fang et al., "DenseNAS", arXiv 1906.09607; Zhang et al., "EfficientPose",
arXiv 2012.07086. A space is an entry in which some rows are slots: each has candidates, and a network takes one of
each.

candidates   rows of the usual slots: MBConv blocks, and decoder levels whose skip is added before or behind
assembly     a graph of one candidate of each slot, or of several beside each other
space        a file of rows with slots; spaces/ has those that ship
choices      choices that cover every candidate, and by chance
table        milliseconds of each candidate, expected ones, and files of them; measure makes tables
likeliest    the likeliest choice within a budget
sampling     which candidates a step runs, and probabilities of the others that stay
recipe       a run's settings as data; recipes/ has those that ship
super_network  every candidate's layers once, run by one path or two (torch)
job          the task of a run
learning     weights and logits, and the steps that move them (torch)
finalists    likely networks, judged by the shared weights at the end (torch)
searcher     the run, which goes on where it was killed (torch)
found        the found network as an entry with its weights (torch)
beside       the found network beside entries made by hand, after the same training
figure       its picture
"""
