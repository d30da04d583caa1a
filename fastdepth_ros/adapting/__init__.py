"""A bundle fine-tuned on the place where its robot works; computed rooms are rehearsed against forgetting others.

place        frames of a recording: those to learn from, and those held back to judge by
measured     frames, and what other sensors of the recording measured of them
teaching     targets from few measured depths: the answers, anchored with them, and how sure they are
rehearsal    computed rooms, on which the answers ought to stay what they are
adapter      the fine-tuning (torch); tint, the place's colours in what is rehearsed
judging      errors, and how far answers moved (torch)
line         as far from the weights before to those after as other places allow
"""
