"""Changing rows: every change makes a version, which can be compared and restored."""
