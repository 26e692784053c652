"""Evaluations: one program on many rows, what came out, and several of them side by side."""
