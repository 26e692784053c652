"""The engine beside DSPy and a bare HTTP client: `python -m tests.benchmarks.engine`."""
