"""Tables as files: a spreadsheet reads every letter, and computes nothing."""

import csv
import io

from config.web.sheets import as_csv


def test_a_table_has_the_mark_of_utf8_and_no_cell_that_a_spreadsheet_would_compute() -> None:
    texts = [
        "东湖路18号，“华峰”",
        '=HYPERLINK("http://x")',
        "+1",
        "-1",
        "@A1",
        "\t=1",
        "\r=1",
        "\n=1",
        "＝1",
        "a=1",
        "",
    ]
    told = as_csv(["名称", "=数"], [[text, -1.5] for text in texts])
    assert told.encode().startswith(b"\xef\xbb\xbf")
    heading, *rows = csv.reader(io.StringIO(told.removeprefix("\ufeff"), newline=""))
    assert heading == ["名称", "'=数"]
    assert [row[1] for row in rows] == ["-1.5"] * len(texts), "a number stays a number"
    assert [row[0] for row in rows] == [text if text[:1] in ("", "东", "a") else f"'{text}" for text in texts]
