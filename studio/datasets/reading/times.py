"""Dates, times and durations of Parquet files as ISO 8601 and seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import partial
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from arro3.core import Array, DataType

from studio.datasets.reading.columns import Column, Values, Wrong, is_any, written
from studio.datasets.reading.problems import Problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def dates(name: str) -> Column:
    """Days."""
    return Column(name, partial(_dates, name))


def _dates(name: str, array: Array, wrong: Wrong) -> Values:
    values: Values = list(array.to_pylist())
    if values.count(None) > array.null_count:
        present = array.cast(
            DataType.int32() if is_any(array.type, "date32") else DataType.int64()
        )
        for index, days in enumerate(present.to_pylist()):
            if values[index] is None and days is not None:
                wrong(index, out_of_range(name))
    return [value and value.isoformat() for value in values]


def out_of_range(column: str) -> Problem:
    """A date or time that Python, and ISO 8601, do not have."""
    return written(column, "Its time is outside of the years 1 to 9999.", "It stays empty.")


def _counts(array: Array) -> Values:
    """Days, seconds or parts of them since midnight or 1970."""
    return list(array.cast(DataType.int64()).to_pylist())


def times(name: str, type_: DataType) -> Column:
    """Times of a day."""
    return Column(name, partial(_times, name, _UNITS[type_.time_unit or "us"]))


def _times(name: str, unit: int, array: Array, wrong: Wrong) -> Values:
    if unit < _UNITS["us"]:
        array = array.cast(DataType.int32())
    values = _counts(array)
    for index, value in enumerate(values):
        if value is None:
            continue
        moment, rest = _split(value, unit)
        if 0 <= value < 86_400 * unit:
            values[index] = (_EPOCH + moment).time().isoformat() + rest
        else:
            values[index] = None
            wrong(index, out_of_range(name))
    return values


def _split(value: int, unit: int) -> tuple[timedelta, str]:
    """A moment, and its nanoseconds as digits that stand behind its microseconds."""
    if unit < _UNITS["ns"]:
        return timedelta(seconds=value // unit, microseconds=value % unit * (10**6 // unit)), ""
    micros, rest = divmod(value, 1000)
    if not rest:
        return timedelta(microseconds=micros), ""
    seconds, micros = divmod(micros, 10**6)
    return timedelta(seconds=seconds), f".{micros:06d}{rest:03d}"


def timestamps(name: str, type_: DataType) -> Column:
    """Moments, with or without a zone."""
    zone: tzinfo | None = None
    about: tuple[Problem, ...] = ()
    if type_.tz:
        zone = zone_of(type_.tz)
        if zone is None:
            what = f"Its times are in the zone “{type_.tz[:40]}”, which is not known here."
            about, zone = (written(name, what, "They are written in UTC."),), UTC
    unit = _UNITS[type_.time_unit or "us"]
    return Column(name, partial(_moments, name, unit, zone), about)


def zone_of(name: str) -> tzinfo | None:
    """The time zone of this name, or None."""
    if match := re.fullmatch(r"([+-])(\d\d):?(\d\d)", name):
        sign = -1 if match[1] == "-" else 1
        minutes = sign * (int(match[2]) * 60 + int(match[3]))
        return timezone(timedelta(minutes=minutes)) if abs(minutes) < 1440 else None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _moments(name: str, unit: int, zone: tzinfo | None, array: Array, wrong: Wrong) -> Values:
    values = _counts(array)
    for index, value in enumerate(values):
        if value is None:
            continue
        try:
            since, rest = _split(value, unit)
            moment = _EPOCH + since
            moment = moment.astimezone(zone) if zone else moment.replace(tzinfo=None)
        except OverflowError:
            values[index] = None
            wrong(index, out_of_range(name))
        else:
            text = moment.isoformat()
            values[index] = f"{text[:19]}{rest}{text[19:]}" if rest else text
    return values


def durations(name: str, type_: DataType) -> Column:
    """How long something took."""
    about = written(name, "It holds durations, and JSON has none.", "They are read as seconds.")
    return Column(name, partial(_durations, _UNITS[type_.time_unit or "us"]), (about,))


def _durations(unit: int, array: Array, wrong: Wrong) -> Values:
    values = _counts(array)
    return [value and (value / unit if value % unit else value // unit) for value in values]
