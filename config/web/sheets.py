"""Tables as files that spreadsheets open right: UTF-8 with the mark by which Excel knows it, no cell computed.

Numbers are to come as numbers, so that a negative one stays one; of a text that a spreadsheet would compute (it begins
with = + - @, also written wide, or with a tab or the end of a line) an apostrophe is put in front.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Final

from starlette.responses import Response

Cell = str | int | float | None
BOM: Final = "\ufeff"
_COMPUTED: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def as_csv(heading: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in (heading, *rows):
        writer.writerow([_safe(cell) for cell in row])
    return BOM + out.getvalue()


def csv_answer(
    name: str, heading: Sequence[str], rows: Iterable[Sequence[Cell]], *, status_code: int = 200
) -> Response:
    """The file to be saved under this name, .csv after it."""
    return Response(
        as_csv(heading, rows),
        status_code=status_code,
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


def _safe(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_COMPUTED) else cell
