"""Tables of the papers for this machine (`fastdepth tables`).

rows      which networks stand in which table, and what the papers print of them
budget    how long to measure and to train
measure   times, a table at a time; what was measured before is read again
power     table 2, which `fastdepth bench --power` measures
accuracy  a short training of each network, likewise
ledger    what all of it took
report    Markdown and JSON
figure    milliseconds over multiply-accumulates, and accuracy over milliseconds, as pictures
labels    names beside their points
"""
