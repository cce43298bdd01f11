"""What a command shows while it works."""

from io import StringIO

from ivr.progress import Bar


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is_and_the_line_goes_away() -> None:
    out = Terminal()
    with Bar(out) as bar:
        for done in (0.0, 0.2, 50.0, 100.0):
            bar.show("checking", done)
    lines = out.getvalue().split("\r")
    assert lines[1:4] == [
        f"checking  [{'':30}]   0 %",
        f"checking  [{'#' * 15:30}]  50 %",
        f"checking  [{'#' * 30}] 100 %",
    ]
    assert lines[4:] == [" " * len(lines[3]), ""]


def test_a_file_sees_nothing_of_it() -> None:
    out = StringIO()
    with Bar(out) as bar:
        bar.show("checking", 50.0)
    assert out.getvalue() == ""
