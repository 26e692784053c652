"""A pipeline as Python code, and Python code of that shape as a pipeline: nothing is ever run."""
