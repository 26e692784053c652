"""Random search, ours and DSPy's, on the same simulated LM, and the coverage of our interval."""
