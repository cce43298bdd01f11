"""How far a command is: a line on a terminal that goes away with the work, and elsewhere nothing."""

from typing import Final, TextIO

BAR_WIDTH: Final = 30
STEP_WIDTH: Final = 9
FULL: Final = 100


class Bar:
    """Shown anew only where the line would read otherwise, so it may be told of every small step."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._is_seen, self._last = out, out.isatty(), ""

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        if self._last:
            print(f"\r{' ' * len(self._last)}\r", end="", file=self._out, flush=True)

    def show(self, step: str, percent: float) -> None:
        """What is being done, and how much of it has been."""
        filled = round(percent * BAR_WIDTH / FULL)
        line = f"{step:{STEP_WIDTH}} [{'#' * filled:{BAR_WIDTH}}] {percent:3.0f} %"
        if self._is_seen and line != self._last:
            self._last = line
            print(f"\r{line}", end="", file=self._out, flush=True)
