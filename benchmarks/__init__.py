"""Measurements of speed and memory, ours beside others, on the same files in one run."""
