"""Tables and JSON Lines that users give: CSV and TSV by any program, spreadsheets included.

The encoding is told by the byte order mark (UTF-8, UTF-16), and is UTF-8 without one. Commas, semicolons, tabs and
bars separate columns, by the first line; Excel's `sep=;` above it is passed over. Names of columns are compared without
case, blanks and signs, so that "Image Path" is image_path. What cannot be read is an `InputError` with file, row and
column; rows are counted as a spreadsheet counts them, the names of the columns being row 1.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

from geoagent.errors import CoordinateError, InputError
from geoagent.places.geo import LatLon

LAT = ("lat", "latitude", "lat_deg", "gps_lat", "gps_latitude", "y_lat", "true_lat", "decimal_latitude")
LON = (
    "lon", "lng", "long", "longitude", "lon_deg", "gps_lon", "gps_lng", "gps_long", "gps_longitude", "x_lon",
    "true_lon", "true_lng", "decimal_longitude",
)  # fmt: skip
XY = ("y",), ("x",)
"""Latitude and longitude of tables that have no clearer names."""
IMAGE = (
    "image", "img", "path", "file", "filename", "filepath", "image_path", "img_path", "image_file", "img_file",
    "image_name", "photo", "photo_path", "source_file", "picture",
)  # fmt: skip
ID = ("img_id", "image_id", "photo_id", "id", "panoid", "pano_id", "text_id", "key", "name")
COUNTRY = (
    "country", "country_code", "country_iso", "iso", "iso2", "iso_a2", "iso3", "iso_a3", "iso_code", "iso_3166_1",
    "iso_3166_1_alpha_2", "iso_3166_1_alpha_3", "alpha_2", "alpha_3", "country_name", "true_country",
)  # fmt: skip
MISSING = frozenset({"", "-", "–", "?", "na", "n/a", "#n/a", "nan", "null", "none"})
"""What programs write where a number is missing; compared without case."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_FILES = ((b"PK\x03\x04", "a workbook or an archive"), (b"\xd0\xcf\x11\xe0", "a workbook"), (b"\x1f\x8b", "gzip"))
_NUMBER = re.compile(r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e[+-]?\d+)?", re.IGNORECASE)
_OBJECT_IN_UTF16 = (b"\xff\xfe{\0", b"\xfe\xff\0{", b"{\0", b"\0{")
_JSON, _TABLES = (".jsonl", ".ndjson", ".json"), (".csv", ".tsv", ".tab")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table, or one object of a JSON Lines file.

    Attributes:
        path: the file.
        number: from 1; of a table as a spreadsheet shows it, of JSON Lines the line.
        values: cells by the names of their columns as the file gives them; strings in a table.
        json: whether it is an object of JSON Lines.
    """

    path: Path
    number: int
    values: Mapping[str, Any]
    json: bool = False

    def column(self, names: Sequence[str]) -> str | None:
        """Return the first column of these names that has a value here, else the first that is there, else None."""
        there = {plain(name): name for name in reversed(list(self.values))}
        found = [there[key] for name in names if (key := plain(name)) in there]
        return next((name for name in found if not _empty(self.values[name])), found[0] if found else None)

    def get(self, names: Sequence[str]) -> Any:
        """Return the value in the first of these columns that has one; None where there is none."""
        name = self.column(names)
        return None if name is None or _empty(self.values[name]) else self.values[name]

    def number_in(self, names: Sequence[str]) -> float | None:
        """Return the number in the first of these columns that has a value; None where it is missing.

        Raises:
            InputError: it is no number.
        """
        name = self.column(names)
        value = None if name is None else number(self.values[name])
        if value is not None and math.isnan(value):
            raise self.error(f"{self.values[name or '']!r} is no number", name)
        return value

    def place(self) -> LatLon | None:
        """Return the position in the columns of latitude and longitude; None where both are missing.

        Raises:
            InputError: one is missing, is no number, or is out of range.
        """
        names = (LAT, LON) if self.column(LAT) or self.column(LON) else XY
        lat, lon = (self.number_in(each) for each in names)
        if lat is None and lon is None:
            return None
        if lat is None or lon is None:
            raise self.error("a latitude without a longitude" if lon is None else "a longitude without a latitude")
        try:
            return LatLon(lat, lon)
        except CoordinateError as error:
            raise self.error(str(error), self.column(names[0] if abs(lat) > 90 else names[1])) from error

    def error(self, says: str, column: str | None = None) -> InputError:
        """Return an error about this row, and about one of its columns."""
        kind, cell = ("line", "") if self.json else ("row", "column ")
        where = f", {cell}{column}" if column is not None else ""
        return InputError(f"{self.path}, {kind} {self.number}{where}: {says}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table, without its empty rows and the columns that have neither a name nor a value.

    Attributes:
        path: the file.
        columns: names of the columns.
        body: cells by row; each row has as many as there are columns.
        numbers: number of each row, see `Row`.
    """

    path: Path
    columns: tuple[str, ...]
    body: list[list[str]]
    numbers: list[int]

    def __iter__(self) -> Iterator[Row]:
        return map(self.row, range(len(self.body)))

    def row(self, i: int) -> Row:
        """Return the row with an index."""
        return Row(self.path, self.numbers[i], dict(zip(self.columns, self.body[i], strict=True)))


@lru_cache(maxsize=10_000)
def plain(name: str) -> str:
    """Return the name of a column as it is compared: "Latitude (°)" and "LATITUDE" are latitude."""
    return re.sub(r"[\W_]+", "", re.sub(r"[(\[].*", "", name).casefold()) or name.strip().casefold()


def number(value: Any) -> float | None:
    """Return a number, None where it is missing, or NaN for what is none.

    A comma is a decimal one: between columns separated by commas only a quoted cell has one. A degree sign may follow.
    """
    if value is None:
        return None
    if not isinstance(value, str):
        usable = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        return float(value) if usable else math.nan
    text = value.strip().removesuffix("°").rstrip().replace("−", "-")
    if text.casefold() in MISSING:
        return None
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else math.nan


def read_text(path: Path, unit: str = "row") -> str:
    """Read a text file by its byte order mark; without one it is UTF-8, or UTF-16 if every other byte is zero.

    Raises:
        InputError: it is missing, is another kind of file, or has bytes that are none of the encoding; the message
            names the first by its row.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        says = f"no such file: {path}" if missing else f"{path} cannot be read: {error.strerror or error}"
        raise InputError(says) from error
    return _decoded(raw, path, unit)


def _decoded(raw: bytes, path: Path, unit: str) -> str:
    kind = next((name for magic, name in _OTHER_FILES if raw.startswith(magic)), None)
    if kind is not None:
        raise InputError(f"{path} is {kind}, not text; save the table as CSV (in Excel: “CSV UTF-8”)")
    mark, encoding = next((each for each in _BOMS if raw.startswith(each[0])), (b"", ""))
    raw = raw[len(mark) :]
    encoding = encoding or _unmarked(raw)
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode(encoding, "ignore")
        line = len(re.findall(r"\r\n|\r|\n", before)) + 1
        raise InputError(
            f"{path}, {unit} {line}: byte 0x{raw[error.start]:02x} is no {encoding.upper()}; "
            "save the file as UTF-8 (in Excel: “CSV UTF-8”)"
        ) from error


def read_sheet(path: Path) -> Sheet:
    """Read a table.

    Raises:
        InputError: the file cannot be read, has no names of columns or two of one name, a quotation mark that is not
            closed, or a row with more cells than columns, as decimal commas between commas make them.
    """
    return _sheet(path, read_text(path))


def json_lines(path: Path, text: str | None = None) -> Iterator[tuple[int, Any]]:
    """Read JSON Lines, or a text of them: the number of each line from 1, with its value; empty lines are passed over.

    Raises:
        InputError: the file cannot be read, or a line is no JSON; the message names the line.
    """
    text = read_text(path, "line") if text is None else text
    for line, written in enumerate(text.split("\n"), start=1):  # by line feeds alone: a text may hold U+2028
        if not written.strip():
            continue
        try:
            value = json.loads(written.strip().lstrip("\ufeff"))  # which joined files have in the middle
        except (ValueError, RecursionError) as error:
            raise InputError(f"{path}, line {line}: no JSON ({getattr(error, 'msg', error)})") from error
        yield line, value


def read_rows(path: Path) -> list[Row]:
    """Read a table or JSON Lines, by the suffix, and where that says nothing by the first character.

    Raises:
        InputError: the file cannot be read, or a line holds something else than a JSON object.
    """
    suffix = path.suffix.lower()
    text = read_text(path, "line" if suffix in _JSON else "row")
    if suffix in _TABLES or not (suffix in _JSON or text.lstrip().startswith("{")):
        return list(_sheet(path, text))
    rows = []
    for line, value in json_lines(path, text):
        row = Row(path, line, value if isinstance(value, dict) else {}, json=True)
        if not isinstance(value, dict):
            raise row.error("expected one JSON object a line")
        rows.append(row)
    return rows


def lines_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the lines of an open file of JSON objects as UTF-8, whatever its encoding; UTF-16 is read as a whole.

    Raises:
        InputError: UTF-16 that is broken.
    """
    first = file.readline()
    if first.startswith(_OBJECT_IN_UTF16):
        text = _decoded(first + file.read(), Path(str(getattr(file, "name", "the input"))), "line")
        yield from (line.encode("utf-8", "surrogatepass") for line in text.split("\n"))
        return
    yield first.removeprefix(codecs.BOM_UTF8)
    yield from file


def _empty(value: Any) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _unmarked(raw: bytes) -> str:
    """The encoding of bytes without a mark: text that is mostly ASCII has a zero in every other byte of UTF-16."""
    head = raw[:1000]
    first, second = head[0::2].count(0), head[1::2].count(0)
    return "utf-16-le" if second > len(head) / 4 > first else "utf-16-be" if first > len(head) / 4 > second else "utf-8"


def _sheet(path: Path, text: str) -> Sheet:
    first = re.match(r"[\s\ufeff]*sep=([,;\t|])[ \t]*(?:\r\n|\r|\n)", text, re.IGNORECASE)
    text = text[first.end() :] if first else text
    head_line = re.sub(r'"[^"]*"', "", re.split(r"[\r\n]+", text.lstrip("\r\n "), maxsplit=1)[0])
    delimiter = first[1] if first else max(",;\t|", key=head_line.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    head: list[str] = []
    body: list[list[str]] = []
    numbers: list[int] = []
    row = 0
    try:
        for row, cells in enumerate(rows, start=1):
            if not any(cell.strip() for cell in cells):
                continue
            if not head:
                head = [cell.strip() for cell in cells]
                continue
            if any(cell.strip() for cell in cells[len(head) :]):
                commas = "; write numbers with a decimal point, or quote them" if delimiter == "," else ""
                raise InputError(f"{path}, row {row}: expected {len(head)} columns, got {len(cells)}{commas}")
            body.append((cells + [""] * (len(head) - len(cells)))[: len(head)])
            numbers.append(row)
    except csv.Error as error:
        raise InputError(f"{path}, row {row + 1}: is a quotation mark left open? ({error})") from error
    if not head:
        raise InputError(f"{path} is empty: expected a line of column names")
    kept = [i for i, name in enumerate(head) if name or any(cells[i].strip() for cells in body)]
    if len(kept) < len(head):
        head, body = [head[i] for i in kept], [[cells[i] for i in kept] for cells in body]
    twice = next((name for name in head if name and head.count(name) > 1), None)
    if twice is not None:
        raise InputError(f"{path}, row 1: two columns are named {twice!r}")
    return Sheet(path, tuple(head), body, numbers)
