"""A bundle fine-tuned on the place where its robot works, without forgetting other places.

place        frames of a recording: those to learn from, and those held back to judge by
rehearsal    computed rooms, on which the answers have to stay what they are
adapter      the fine-tuning (torch)
"""
