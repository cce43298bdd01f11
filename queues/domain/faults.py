"""What is wrong with a site's files: every fault at once, with file and line, and the nearest right name.

Whoever edits a hotline is no programmer. A loader therefore never stops at the first fault and never shows a
Python error: it collects, and raises `SiteFaults` at the end.
"""

from __future__ import annotations

import datetime as dt
import difflib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

MISSING_FILE = "this file is missing or empty"
Model = TypeVar("Model", bound=BaseModel)
Steps = tuple[str | int, ...]
_SAID: Final[Mapping[str, str]] = {  # how the kind of a form's fault begins, the longer beginning first
    "string_type": "expected a text",
    "tuple_type": "expected a list such as [a, b]",
    "list_type": "expected a list such as [a, b]",
    "dict_type": "expected 'name: value' entries here",
    "model_": "expected 'name: value' entries here",
    "too_short": "needs at least one entry",
    "literal_error": "'{given}' is none of {expected}",
    "enum": "'{given}' is none of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "bool_": "'{given}' is neither true nor false",
    "int_": "'{given}' is not a whole number",
    "float_": "'{given}' is not a number",
    "decimal_": "'{given}' is not a number",
}


class SiteSource(Protocol):
    """The site's files as they were read: their content, and the place of each value."""

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    @property
    def documents(self) -> Mapping[str, dict[str, Any]]: ...

    def where(self, path: Sequence[str | int]) -> str:
        """`menu.yaml:12` of the deepest part of the path that exists."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault, printed as `menu.yaml:12 nodes.welcome.goto: there is no node named 'mainmenu'`."""

    where: str
    path: str
    message: str

    def __str__(self) -> str:
        return f"{' '.join(filter(None, (self.where, self.path)))}: {self.message}"


@dataclass(frozen=True, slots=True)
class Warned:
    """What is no fault and yet worth knowing, with its place in the files."""

    steps: Steps
    message: str


class SiteFaults(Exception):  # noqa: N818  the word of the house for what a site file can have
    """The site's files have faults."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class FaultBook:
    """Collects the faults of one reading of one site."""

    def __init__(self, source: SiteSource) -> None:
        self._source = source
        self._faults: list[Fault] = []
        self._names: dict[tuple[str, str], frozenset[str]] = {}

    def document(self, file: str) -> dict[str, Any]:
        found = self._source.documents.get(file)
        if isinstance(found, Mapping):
            return dict(found)
        missing = Fault(f"{file}.yaml", "", MISSING_FILE)
        if missing not in self._faults:
            self._faults.append(missing)
        return {}

    def section(self, file: str, name: str) -> dict[str, Any]:
        """The mapping `name` of a file; a fault if it is absent or no mapping."""
        document = self.document(file)
        value = document.get(name)
        if isinstance(value, Mapping):
            self._names[file, name] = frozenset(str(entry) for entry in value)
            return dict(value)
        if document:
            self.add((file, name), "this section is missing or is not a list of 'name: value' entries")
        return {}

    def names(self, file: str, section: str) -> frozenset[str]:
        """The names of a section's entries, those with faults included: one fault is not told twice."""
        return self._names.get((file, section), frozenset())

    def add(self, steps: Steps, message: str) -> None:
        if str(steps[0]) not in self._source.documents:
            self.document(str(steps[0]))  # all that can be said of it is that it is not there
            return
        inside = ".".join(str(step) for step in steps[1:])
        self._faults.append(Fault(self._source.where(steps), inside, message))

    def unknown(self, steps: Steps, noun: str, word: str, known: Collection[str]) -> None:
        self.add(steps, f"there is no {noun} named '{word}'{suggestion(word, known)}")

    def read(
        self, model: type[Model], steps: Steps, value: Any, context: Mapping[str, Any] | None = None
    ) -> Model | None:
        """`value` as a `model`, or None with the faults noted."""
        if not isinstance(value, Mapping):
            self.add(steps, "expected 'name: value' entries here")
            return None
        marked = {"from_files": True, **(context or {})}
        try:
            return model.model_validate(dict(value), context=marked)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._add_detail(model, steps, dict(detail))
            return None

    def raise_if_any(self) -> None:
        if self._faults:
            raise SiteFaults(self._faults)

    def _add_detail(self, model: type[BaseModel], steps: Steps, detail: dict[str, Any]) -> None:
        inside = tuple(step for step in detail["loc"] if step != "[key]")
        kind = detail["type"]
        if kind == "extra_forbidden":
            known = [field.alias or name for name, field in model.model_fields.items() if name != "id"]
            word = str(inside[-1])
            hint = suggestion(word, known) if len(inside) == 1 else ""
            self.add((*steps, *inside), f"'{word}' is not known here{hint}")
        elif kind == "missing":
            self.add((*steps, *inside[:-1]), f"'{inside[-1]}' is missing")
        elif kind != "too_short" or not self._is_told((*steps, *inside)):
            self.add((*steps, *inside), in_words(kind, detail))

    def _is_told(self, steps: Steps) -> bool:
        """A fault further inside: what is wrong here follows from it."""
        inside = ".".join(str(step) for step in steps[1:])
        return any(each.path.startswith(f"{inside}.") for each in self._faults)


def in_words(kind: str, detail: Mapping[str, Any]) -> str:
    """What the reader of the form says, for somebody who writes a hotline."""
    given, limits = detail.get("input"), detail.get("ctx") or {}
    if kind == "string_type" and isinstance(given, int | float | dt.date):
        return f'expected a text; put it in quotation marks: "{given}"'
    for begins, said in _SAID.items():
        if kind.startswith(begins):
            return said.format(given=given, **limits)
    return str(detail["msg"]).removeprefix("Value error, ")


def suggestion(word: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{near[0]}'?" if near else ""
