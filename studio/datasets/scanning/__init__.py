"""Looking through a dataset for leaks, repetitions, conflicts and oddities."""
