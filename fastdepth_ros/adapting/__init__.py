"""A bundle fine-tuned on the place where its robot works; computed rooms are rehearsed against forgetting others.

place        frames of a recording: those to learn from, and those held back to judge by
rehearsal    computed rooms, on which the answers ought to stay what they are
adapter      the fine-tuning (torch)
"""
