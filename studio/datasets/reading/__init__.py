"""Files of rows, read in batches of columns: CSV, JSON, JSON lines, Parquet, workbooks."""

from studio.datasets.reading.batches import BATCH_ROWS, BATCH_SIZE, Batch, Source
from studio.datasets.reading.delimited import MAX_REPAIRS
from studio.datasets.reading.lines import MAX_LINE
from studio.datasets.reading.opening import detect, kind_of, open_source
from studio.datasets.reading.sniffing import Format

__all__ = [
    "BATCH_ROWS",
    "BATCH_SIZE",
    "MAX_LINE",
    "MAX_REPAIRS",
    "Batch",
    "Format",
    "Source",
    "detect",
    "kind_of",
    "open_source",
]
