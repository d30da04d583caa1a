"""Lenses that bend straight lines, and the way from their raw pictures to a pinhole's, without ROS."""
