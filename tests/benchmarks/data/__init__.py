"""Datasets, measured beside the bare drivers of the same databases on the same machine."""
