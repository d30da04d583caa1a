"""Weights that others made, read and held against the network table, as a bundle."""
