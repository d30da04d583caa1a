"""Tables of FastDepth's paper for this machine (`fastdepth tables`).

rows     which networks stand in which table, and what the paper prints of them
measure  a table at a time; what was measured before is read again
report   Markdown and JSON
figure   milliseconds over multiply-accumulates, as a picture
"""
