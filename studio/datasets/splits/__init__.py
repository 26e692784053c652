"""Which rows are for train, dev and test; the sealed test split."""
