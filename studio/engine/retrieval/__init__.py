"""Retrieval: passages that may hold the answer."""
