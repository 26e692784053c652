"""Archives, Parquet files and workbooks."""

from __future__ import annotations

import gzip
from functools import partial

import zstandard
from arro3.core import Array, DataType, Field, list_array, struct_array

from tests.datasets.reading.zoo import parquets, workbooks
from tests.datasets.reading.zoo.animal import (
    BYE,
    CAFE,
    CAFES,
    HELLO,
    HUGE,
    NOISE,
    PLAIN,
    reads,
    refuses,
)
from tests.datasets.reading.zoo.parquets import counts, make_parquet, values
from tests.datasets.reading.zoo.workbooks import (
    cell,
    make_workbook,
    make_zip,
    number,
    sheet,
    table,
    text,
)


def _bomb() -> bytes:
    line = b"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,b\n"
    return b"a,b\n" + line * (200_000_000 // len(line))


COMPRESSED = (
    reads("gzip", "a.csv.gz", gzip.compress(PLAIN.encode()), HELLO, BYE),
    reads("Zstandard", "a.csv.zst", zstandard.compress(PLAIN.encode()), HELLO, BYE),
    reads("gzip of UTF-16", "a.csv.gz", gzip.compress(CAFE.encode("utf-16")), *CAFES),
    reads("two gzip members", "a.csv.gz",
          gzip.compress(b"message,label\nHello,x\n") + gzip.compress(b"Bye,y\n"), HELLO, BYE),
    reads("two Zstandard frames", "a.csv.zst",
          zstandard.compress(b"message,label\nHello,x\n") + zstandard.compress(b"Bye,y\n"),
          HELLO, BYE),
    reads("JSON lines in gzip", "a.jsonl.gz", gzip.compress(b'{"a": 1}\n'), {"a": 1}),
    reads("Parquet in Zstandard", "a.parquet.zst",
          lambda: zstandard.compress(parquets.make_texts()), {"a": "text 0"}, {"a": "text 1"}),
    reads("a workbook in gzip", "a.xlsx.gz",
          lambda: gzip.compress(make_workbook({"S": table(("a",), ("x",))})), {"a": "x"}),
    refuses("gzip that breaks off", "a.csv.gz", gzip.compress(NOISE.hex().encode())[:-20],
            "no sound gzip archive (it breaks off)"),
    refuses("Zstandard that breaks off", "a.csv.zst",
            zstandard.compress(NOISE.hex().encode())[:-5], "no sound Zstandard archive"),
    refuses("gzip with a wrong byte", "a.csv.gz",
            gzip.compress(NOISE.hex().encode())[:200] + b"\0\0\0" + bytes(50),
            "no sound gzip archive"),
    refuses("no gzip", "a.csv.gz", PLAIN, "no sound gzip archive"),
    refuses("no Zstandard", "a.csv.zst", PLAIN, "no sound Zstandard archive"),
    refuses("gzip of nothing", "a.csv.gz", gzip.compress(b""), "The file is empty"),
    refuses("gzip in gzip", "a.csv.gz", gzip.compress(gzip.compress(PLAIN.encode())),
            "This is a gzip archive"),
    refuses("a gzip bomb", "a.csv.gz", lambda: gzip.compress(_bomb(), 6), "more than 200 times"),
    refuses("a Zstandard bomb", "a.csv.zst", lambda: zstandard.compress(_bomb()),
            "more than 200 times"),
    refuses("a bomb for Parquet", "a.parquet.zst", lambda: zstandard.compress(bytes(200_000_000)),
            "more than 200 times"),
)  # fmt: skip

STRING, INTEGER = DataType.string(), DataType.int64()
STRING_FIELD, FLOAT_FIELD = Field("s", STRING), Field("f", DataType.float64())
PARQUETS = (
    reads("plain Parquet", "a.parquet", parquets.make_texts, {"a": "text 0"}, {"a": "text 1"}),
    *(
        reads(f"Parquet packed with {name}", "a.parquet",
              partial(parquets.make_texts, compression=name),
              {"a": "text 0"}, {"a": "text 1"})
        for name in ("snappy", "gzip(6)", "brotli(3)", "zstd(3)", "lz4_raw")
    ),
    reads("Parquet without rows", "a.parquet", lambda: parquets.make_texts(0), 0, columns=("a",)),
    *(
        reads(f"the unknown logical type {number}", "a.parquet",
              partial(parquets.with_logical_type, number),
              {"a": "text 0"}, {"a": "text 1"}, problems="written")
        for number in (19, 40, 99)
    ),
    reads("BSON", "a.parquet", lambda: parquets.with_logical_type(13), {"a": "text 0"},
          {"a": "text 1"}, problems="written"),
    reads("geometry", "a.parquet", lambda: parquets.with_logical_type(17), {"a": "text 0"},
          {"a": "text 1"}, problems="written"),
    refuses("an unknown converted type", "a.parquet", lambda: parquets.with_converted_type(40),
            "The Parquet file cannot be read"),
    refuses("a logical type that does not fit", "a.parquet", lambda: parquets.with_logical_type(6),
            "The Parquet file cannot be read"),
    refuses("texts that are said to be numbers", "a.parquet", parquets.with_another_physical_type,
            "The Parquet file cannot be read"),
    refuses("Parquet that breaks off", "a.parquet", lambda: parquets.make_texts(1000)[:-100],
            "The Parquet file cannot be read"),
    refuses("Parquet without its beginning", "a.parquet", lambda: parquets.make_texts(1000)[900:],
            "The Parquet file cannot be read"),
    refuses("a footer of 4 GB", "a.parquet", lambda: parquets.with_footer_length(2**32 - 1),
            "The Parquet file"),
    refuses("a footer of nothing", "a.parquet", lambda: parquets.with_footer_length(0),
            "The Parquet file cannot be read"),
    refuses("CSV named Parquet", "a.parquet", PLAIN, "The Parquet file cannot be read"),
    refuses("no bytes named Parquet", "a.parquet", b"", "The file is empty"),
    reads("NaN in Parquet", "a.parquet", lambda: make_parquet({
              "a": values(DataType.float64(), float("nan"), 1.5, float("-inf"), None),
              "b": values(INTEGER, 1, 2, 3, 2**60)}),
          {"b": 1}, {"a": 1.5, "b": 2}, {"b": 3}, {"b": 2**60}, columns=("a", "b"),
          problems="number"),
    reads("bytes in Parquet", "a.parquet",
          lambda: make_parquet({"a": values(DataType.binary(), b"text", b"\xff\xfe", b"\0")}),
          {"a": "text"}, {"a": "//4="}, {"a": "AA=="}, problems="written bytes"),
    reads("intervals", "a.parquet", parquets.with_intervals, {"b": 1}, {"b": 2},
          columns=("a", "b"), problems="written"),
    reads("decimals", "a.parquet", lambda: make_parquet({
              "a": counts(DataType.decimal128(10, 2), 3, 4).cast(DataType.decimal128(10, 2)),
              "b": counts(DataType.decimal128(30, 1), 3, 4)}),
          {"a": 3.0, "b": "3.0"}, {"a": 4.0, "b": "4.0"}, problems="written"),
    reads("dates", "a.parquet", lambda: make_parquet({
              "a": counts(DataType.date32(), 0, 20000, 2**31 - 1),
              "b": counts(DataType.time64("ns"), 1, 3_600_000_000_000, None)}),
          {"a": "1970-01-01", "b": "00:00:00.000000001"}, {"a": "2024-10-04", "b": "01:00:00"}, {},
          columns=("a", "b"), problems="written"),
    reads("moments", "a.parquet", lambda: make_parquet({
              "a": counts(DataType.timestamp("ns"), 1, 10**18, None),
              "b": counts(DataType.timestamp("us", tz="Europe/Berlin"), 0, 10**15, 2**62),
              "c": counts(DataType.timestamp("s", tz="+02:00"), 0, -1, None)}),
          {"a": "1970-01-01T00:00:00.000000001", "b": "1970-01-01T01:00:00+01:00",
           "c": "1970-01-01T02:00:00+02:00"},
          {"a": "2001-09-09T01:46:40", "b": "2001-09-09T03:46:40+02:00",
           "c": "1970-01-01T01:59:59+02:00"}, {}, columns=("a", "b", "c"), problems="written"),
    reads("a zone that nobody knows", "a.parquet", lambda: make_parquet({
              "a": counts(DataType.timestamp("us", tz="Nowhere/Land"), 0)}),
          {"a": "1970-01-01T00:00:00+00:00"}, problems="written"),
    reads("durations", "a.parquet", lambda: make_parquet({
              "a": counts(DataType.duration("ms"), 2000, 1500, None)}),
          {"a": 2}, {"a": 1.5}, {}, problems="written"),
    reads("lists and structs", "a.parquet", lambda: make_parquet({
              "a": list_array(Array([0, 2, 2], type=DataType.int32()), values(INTEGER, 1, 2)),
              "b": struct_array([values(STRING, "x", "y"),
                                 values(DataType.float64(), 1.5, float("inf"))],
                                fields=[STRING_FIELD, FLOAT_FIELD])}),
          {"a": [1, 2], "b": {"s": "x", "f": 1.5}}, {"a": [], "b": {"s": "y", "f": None}},
          problems="number"),
    reads("a cell of 50 MB in Parquet", "a.parquet", lambda: make_parquet({
              "a": values(STRING, "x", "y" * HUGE, "z")}, compression="zstd(1)"),
          {"a": "x"}, {"a": "z"}, problems="huge", left_out=1),
    refuses("cells that repeat", "a.parquet", lambda: parquets.repeated("y" * 4_200_000, 512),
            "more than 2 GB of memory"),
    reads("NULs in Parquet", "a.parquet", lambda: make_parquet({"a": values(STRING, "x\0y", "z")}),
          {"a": "xy"}, {"a": "z"}, problems="nul"),
    refuses("5,000 columns in Parquet", "a.parquet", lambda: make_parquet(
                {f"c{n}": values(INTEGER, 1) for n in range(5000)}), "5,000 columns"),
)  # fmt: skip

WORKBOOKS = (
    reads("a workbook", "a.xlsx", lambda: make_workbook({"S": sheet(
              [text("A1", "a"), text("B1", "b"), text("C1", "c")],
              [number("A2", 1), number("B2", 46024.5, s=1), number("C2", 46024, s=2)],
              [text("A3", "x"), cell("B3", "<v>1</v>", t="b"), number("C3", 1.5)])}),
          {"a": 1, "b": "2026-01-02T12:00:00", "c": "2026-01-02"},
          {"a": "x", "b": True, "c": 1.5}),
    reads("formulas in a workbook", "a.xlsx", lambda: make_workbook({"S": sheet(
              [text("A1", "a"), text("B1", "b")],
              [cell("A2", "<f>1+1</f><v>2</v>"), text("B2", "x")],
              [cell("A3", "<f>1+1</f>"), text("B3", "=1+1")])}),
          {"a": 2, "b": "x"}, {"b": "=1+1"}, problems="formula"),
    reads("errors in a workbook", "a.xlsx", lambda: make_workbook({"S": sheet(
              [text("A1", "a"), text("B1", "b")],
              [cell("A2", "<f>1/0</f><v>#DIV/0!</v>", t="e"), text("B2", "x")])}),
          {"b": "x"}, columns=("a", "b"), problems="formula"),
    reads("macros", "a.xlsm", lambda: make_workbook(
              {"S": table(("a",), ("x",))}, more={"xl/vbaProject.bin": NOISE}),
          {"a": "x"}, problems="sheet"),
    reads("an empty sheet first, a hidden one last", "a.xlsx", lambda: make_workbook(
              {"E": sheet(), "S": table(("a",), ("x",)), "H": table(("b",), ("y",))},
              hidden=["H"]), {"a": "x"}, problems="sheet"),
    reads("a table that begins further down", "a.xlsx", lambda: make_workbook({"S": sheet(
              [], [], [text("C3", "a"), text("D3", "b")], [], [text("D5", "x")])}), {"b": "x"},
          columns=("a", "b")),
    reads("columns without a name", "a.xlsx", lambda: make_workbook({"S": sheet(
              [text("A1", "a"), text("B1", "a")],
              [text("A2", "x"), text("B2", "y"), text("C2", "z")])}),
          {"a": "x", "a 2": "y", "column 3": "z"}, problems="columns"),
    refuses("a cell far away", "a.xlsx", lambda: make_workbook({"S": sheet(
              [text("A1", "a"), text("XFD1", "b")], [text("A2", "x")])}), "16,384 columns"),
    refuses("cells at the ends of the earth", "a.xlsx", lambda: make_workbook(
                {"S": sheet([text("A1", "a")]).replace(
                    "</sheetData>", f"<row>{text('XFD1048576', 'b')}</row></sheetData>")}),
            "more than 2 GB of memory"),
    refuses("only names in a workbook", "a.xlsx", lambda: make_workbook({"S": table(("a", "b"))}),
            "column names and no rows"),
    refuses("nothing in a workbook", "a.xlsx", lambda: make_workbook({"S": sheet()}),
            "no sheet with anything in it"),
    refuses("a ZIP that is no workbook", "a.xlsx", make_zip({"a.csv": PLAIN}),
            "no Excel workbook"),
    refuses("a binary workbook", "a.xlsx", make_zip({"xl/workbook.bin": NOISE}), ".xlsb"),
    refuses("a workbook with a password", "a.xlsx", b"\xd0\xcf\x11\xe0" + NOISE, "password"),
    refuses("CSV named as a workbook", "a.xlsx", PLAIN, "This is no Excel workbook"),
    refuses("a workbook that breaks off", "a.xlsx",
            lambda: make_workbook({"S": table(("a",), ("x",))})[:-40],
            "This is no Excel workbook"),
    refuses("a workbook with broken XML", "a.xlsx", lambda: make_workbook(
                {"S": table(("a",), ("x",))[:-30]}), "The workbook cannot be read"),
    refuses("a workbook that is damaged inside", "a.xlsx", lambda: _damaged(), "is damaged"),
    refuses("a bomb in a workbook", "a.xlsx", lambda: make_workbook(
                {"S": table(("a",), ("x",))},
                more={"xl/sharedStrings.xml": b" " * 100_000_000}), "more than 300 times"),
    refuses("a bomb that lies about its size", "a.xlsx", lambda: workbooks.lying_about_size(
                make_workbook({"S": table(("a",), ("x",))},
                              more={"xl/sharedStrings.xml": b" " * 100_000_000}),
                "xl/sharedStrings.xml", 1000), "is damaged"),
    reads("entities in a workbook", "a.xlsx", lambda: make_workbook({"S": table(("a",), ("x",))},
          more={"docProps/app.xml": '<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'}), {"a": "x"}),
    refuses("5,000 columns in a workbook", "a.xlsx", lambda: make_workbook({"S": sheet(
                *[[number(f"{_letters(n)}{row}", n) for n in range(1, 5001)] for row in (1, 2)])}),
            "5,000 columns"),
)  # fmt: skip


def _damaged() -> bytes:
    whole = bytearray(make_workbook({"S": table(("a",), *(("x" * n,) for n in range(1, 200)))}))
    at = whole.index(b"xl/worksheets/sheet1.xml") + 60
    whole[at : at + 20] = bytes(20)
    return bytes(whole)


def _letters(column: int) -> str:
    found = ""
    while column:
        column, rest = divmod(column - 1, 26)
        found = chr(65 + rest) + found
    return found
