"""Boards that are not at hand: measured times of single convolutions, and what follows from them."""
