"""Held-out accuracy on the embedded LM: our compilers beside DSPy's, at equal calls."""
