"""Rows of somebody's table: CSV in UTF-8 or GB18030 with commas, semicolons or tabs, or the first sheet of an XLSX.

A row is its number as a person sees it (the headings are row 1) and its cells as text. A table is read row by row
and may be longer than memory.
"""

import codecs
import csv
import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final

Row = tuple[int, list[str]]
ENCODINGS: Final = ("utf-8-sig", "gb18030")
DELIMITERS: Final = (",", ";", "\t", "；", "，")
BLOCK: Final = 1 << 20
CELL_MAX: Final = 100_000
FULL: Final = 100.0  # per cent
# what the reader of workbooks raises over one that is cut off or not what it says
BROKEN: Final[tuple[type[Exception], ...]] = (
    *(zipfile.BadZipFile, zlib.error, EOFError, SyntaxError),
    *(LookupError, ValueError, TypeError, AttributeError),
)


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
        self._opened: Iterator[Row] | None = self._all()
        first = next(self._opened, None)
        if first is None or not any(first[1]):
            raise SheetError("Its first row should name the columns, and is empty.")
        self.headings: Sequence[str] = first[1]

    def rows(self) -> Iterator[Row]:
        """Every row below the headings that has anything in it. The first time it goes on where it was opened."""
        opened, self._opened = self._opened, None
        return (row for row in opened or islice(self._all(), 1, None) if any(row[1]))

    def _all(self) -> Iterator[Row]:
        rows, row_no = (self._of_workbook() if self._is_workbook else self._of_text()), 0
        try:
            for row_no, cells in enumerate(rows, 1):
                yield row_no, cells
        except OSError as fault:
            raise SheetError(f"It cannot be read: {fault.strerror or type(fault).__name__}.") from fault
        except csv.Error as fault:
            raise SheetError(f"Near row {row_no + 1}: {fault}.") from fault
        except BROKEN as fault:
            raise SheetError(f"Near row {row_no + 1} the workbook is broken.") from fault

    def _of_text(self) -> Iterator[list[str]]:
        size = max(self.path.stat().st_size, 1)
        csv.field_size_limit(CELL_MAX)
        with (
            self.path.open("rb") as raw,
            io.TextIOWrapper(raw, encoding=self._encoding, newline="") as text,
        ):
            heading = text.readline()
            delimiter = max(DELIMITERS, key=heading.count)
            for cells in csv.reader(chain([heading], text), delimiter=delimiter):
                self.done = raw.tell() * FULL / size
                yield cells

    def _of_workbook(self) -> Iterator[list[str]]:
        # every process would pay for a tenth of its start with it, and hardly one reads workbooks
        from openpyxl.reader.excel import load_workbook

        # by its name the reader would refuse a file whose name does not end in .xlsx
        with self.path.open("rb") as raw:
            try:
                book = load_workbook(raw, read_only=True, data_only=True)  # type: ignore[no-untyped-call]
            except BROKEN as fault:
                raise SheetError("It is a packed file, but no XLSX workbook.") from fault
            try:
                parts = parts_of(raw)
                sheet = book.worksheets[0]
                sheet.reset_dimensions()  # what some programs write there is wrong
                for cells in sheet.iter_rows(values_only=True):
                    self.done = part_done(parts, raw.tell())
                    yield [cell_text(cell) for cell in cells]
            finally:
                book.close()


def parts_of(raw: BinaryIO) -> list[tuple[int, int]]:
    """Where the parts of a packed file begin, and how long each is packed."""
    with zipfile.ZipFile(raw) as packed:
        return sorted((part.header_offset, part.compress_size) for part in packed.infolist())


def part_done(parts: Sequence[tuple[int, int]], at: int) -> float:
    """How much of the part that is being read here has been read, in per cent."""
    here = [part for part in parts if part[0] < at]
    start, size = here[-1] if here else (0, 0)
    return min((at - start) * FULL / max(size, 1), FULL)


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
