"""A file on its way to a dataset: received, read, judged, mapped, kept."""
