"""Tools: what an LM may call on its way to an answer."""
