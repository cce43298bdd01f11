"""The door of REST: numbers each request and knows how many are inside."""

from collections.abc import Iterator
from contextlib import contextmanager


class Gate:
    def __init__(self) -> None:
        self.passed = 0
        self.inside = 0

    @contextmanager
    def passing(self) -> Iterator[int]:
        self.passed += 1
        self.inside += 1
        try:
            yield self.passed
        finally:
            self.inside -= 1
