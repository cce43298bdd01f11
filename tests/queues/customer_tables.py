"""Tables of customers for tests: a sound one of the power site, and its rows to change."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from config.runtime import Runtime
from queues.service.imports import Options, Outcome, RowFault, import_table

HEADINGS = ("account_no", "户名", "phones", "区域", "用电类别", "address")
MORE = ("capacity_kva", "年用电量（千瓦时）", "High-risk key customer")
COLUMNS = (*HEADINGS, *MORE)
MILL = ("0571000001", "恒达化纤", "0571-8888 6666", "城区", "非居民", "东湖路1号", "2,000", "120000", "否")
LIU = ("0571000002", "刘芳", "13800138000", "suburb", "residential", "西湖路2号", "8", "3000", "no")


def write_csv(
    path: Path,
    rows: Sequence[Sequence[str]] = (MILL, LIU),
    columns: Sequence[str] = COLUMNS,
    *,
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> Path:
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([columns, *rows])
    return path


def changed(row: Sequence[str], **values: str) -> tuple[str, ...]:
    """The row with other values, by the heading as it is named in `NAMES`."""
    return tuple(
        values.get(NAMES.get(column, column), cell) for column, cell in zip(COLUMNS, row, strict=True)
    )


NAMES: Mapping[str, str] = {
    "户名": "name",
    "区域": "area",
    "用电类别": "customer_kind",
    "年用电量（千瓦时）": "annual_kwh",
    "High-risk key customer": "high_risk",
}


async def take(
    runtime: Runtime, path: Path, options: Options | None = None
) -> tuple[Outcome, list[RowFault]]:
    """Import it, and every fault that was reported."""
    faults: list[RowFault] = []
    outcome = await import_table(runtime, path, options or Options(origin="register"), faults.extend)
    return outcome, faults
