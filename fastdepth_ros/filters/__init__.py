"""Answers in other forms, for planners: each a function of arrays, and off unless somebody asks."""
