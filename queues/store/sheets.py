"""Rows of somebody's table: CSV in UTF-8 or GB18030 with commas, semicolons or tabs, or the first sheet of an XLSX.

A row is its number as a person sees it (the headings are row 1) and its cells as text. A table is read row by row
and may be longer than memory.
"""

import codecs
import csv
import datetime as dt
import io
import zipfile
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from openpyxl.reader.excel import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

Row = tuple[int, list[str]]
ENCODINGS: Final = ("utf-8-sig", "gb18030")
DELIMITERS: Final = (",", ";", "\t", "；", "，")
BLOCK: Final = 1 << 20
CELL_MAX: Final = 100_000
FULL: Final = 100  # per cent


class SheetError(Exception):
    """This file cannot be read as a table."""

    def __init__(self, why: str) -> None:
        super().__init__(f"{self.__doc__} {why}")


class Sheet:
    """One table: its headings, its rows, and how far its reader has come in per cent."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SheetError(f"There is no file {path}.")
        self.path = path
        self.done = 0.0
        self._is_workbook = zipfile.is_zipfile(path)
        self._encoding = "" if self._is_workbook else encoding_of(path)
        first = next(self._all(), None)
        if first is None or not any(first[1]):
            raise SheetError("Its first row should name the columns, and is empty.")
        self.headings: Sequence[str] = first[1]

    def rows(self) -> Iterator[Row]:
        """Every row below the headings that has anything in it."""
        return (row for row in islice(self._all(), 1, None) if any(row[1]))

    def _all(self) -> Iterator[Row]:
        return self._of_workbook() if self._is_workbook else self._of_text()

    def _of_text(self) -> Iterator[Row]:
        size = max(self.path.stat().st_size, 1)
        csv.field_size_limit(CELL_MAX)
        with (
            self.path.open("rb") as raw,
            io.TextIOWrapper(raw, encoding=self._encoding, newline="") as text,
        ):
            heading = text.readline()
            delimiter = max(DELIMITERS, key=heading.count)
            try:
                for row_no, cells in enumerate(csv.reader(chain([heading], text), delimiter=delimiter), 1):
                    self.done = raw.tell() * FULL / size
                    yield row_no, cells
            except csv.Error as fault:
                raise SheetError(f"Near row {row_no + 1}: {fault}.") from fault

    def _of_workbook(self) -> Iterator[Row]:
        with self.path.open(
            "rb"
        ) as raw:  # by its name the reader would refuse a file whose name does not end in .xlsx
            try:
                book = load_workbook(raw, read_only=True, data_only=True)  # type: ignore[no-untyped-call]
            except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError) as fault:
                raise SheetError("It is a packed file, but no XLSX workbook.") from fault
            try:
                sheet = book.worksheets[0]
                sheet.reset_dimensions()  # what some programs write there is wrong
                for row_no, cells in enumerate(sheet.iter_rows(values_only=True), 1):
                    yield row_no, [cell_text(cell) for cell in cells]
            finally:
                book.close()


def encoding_of(path: Path) -> str:
    """The first encoding in which the whole file makes sense."""
    for encoding in ENCODINGS:
        decoder = codecs.getincrementaldecoder(encoding)()
        try:
            with path.open("rb") as raw:
                while block := raw.read(BLOCK):
                    if "\0" in decoder.decode(block):
                        raise SheetError("It is neither text nor an XLSX workbook.")
                decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            continue
        return encoding
    raise SheetError(f"Its text is in none of {', '.join(ENCODINGS)}.")


def cell_text(value: Any) -> str:
    """A workbook's value as somebody would have written it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, dt.datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, dt.date) else str(value)
