"""Limits of :mod:`~fastdepth_ros.filters.steadiness`, which are compiled into its function as well."""

from __future__ import annotations

LEAST, MOST = 1e-3, 1e4
"""Depths that have a logarithm here [m]; anything else is no answer."""

LONGEST, LONGEST_GOING = 10.0, 5.0
"""Answers that are in the mean with a steadiness of 1, which is an exponent; and of the whole where the camera goes:
what it comes nearer to is nearer in all pieces, and would be so too late."""

NEAR, NEAR_STANDING = 0.06, 0.2
"""Rest in log depth up to which a piece belongs to the mean, from twice that not at all; while the camera stands."""

STANDS = 0.05
"""Way from picture to picture up to which the camera stands, root mean square [pieces]; from twice that it goes."""

DARK, NOISE = 16.0, 0.06
"""Added to brightness, of 255, whose logarithm is compared; a difference of that up to which a piece shows the same
thing, and from twice that another."""

FITS, SHOWS = 0.25, 0.4
"""Share of pieces that have to go on from before, and of the picture that has to show the same, or all begin anew."""

OUTLYING, JUMP = 0.2, 0.5
"""Distance from the mean that says nothing more of a shift; a shift beyond which all begin anew. In log depth."""

ANSWERED = 0.25
"""Share of a piece's cells that have to have an answer, or it has none."""
