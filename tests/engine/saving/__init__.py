"""Saving, and going over to others."""
