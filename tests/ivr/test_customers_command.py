"""What `shouwen customers` shows while it works."""

from io import StringIO

from ivr.customers import Bar, masked


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


def test_a_terminal_sees_how_far_it_is_and_the_line_goes_away() -> None:
    out = Terminal()
    with Bar(out) as bar:
        for done in (0.0, 0.2, 50.0, 100.0):
            bar.show("check", done)
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
        bar.show("check", 50.0)
    assert out.getvalue() == ""


def test_no_number_is_shown_in_full_among_other_words() -> None:
    assert masked("+8613800000001; +8657188886666 -> ") == "+86 138****0001; +86 571****6666 -> "
    assert masked("change") == "change"
