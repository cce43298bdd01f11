"""A row of somebody's table read into what a customer's file takes from it, or into what is wrong with it.

A column that is not in the table leaves its field as it is; an empty cell empties it. Nothing is guessed: a heading
that names no field of this site, or a value that is not of its field's type, is a fault, and the row changes
nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from queues.domain.attributes import UnreadableError, read_value, read_yes_no, tidy
from queues.domain.customers import BEFORE_CONTACT, Contact
from queues.domain.faults import suggestion
from queues.domain.parts import language_of
from queues.domain.plan import Plan

NAME_MAX: Final = 200
ACCOUNT_MAX: Final = 40
NUMBERS_MAX: Final = 20
CONTACTS_MAX: Final = 20
TITLES: Final[Mapping[str, tuple[str, ...]]] = {
    "account_no": ("account", "account no", "account number", "户号", "账号", "帐号", "客户编号", "客户编码"),
    "name": ("customer", "customer name", "account name", "名称", "户名", "客户名称", "姓名"),
    "phones": (
        "phone",
        "telephone",
        "telephones",
        "telephone numbers",
        "电话",
        "联系电话",
        "手机",
        "电话号码",
    ),
    "contacts": ("contact", "contact persons", "联系人"),
    "area": ("区域", "片区", "地区"),
    "language": ("locale", "语言"),
    "managers": ("manager", "account manager", "account managers", "client manager", "客户经理"),
    "consent": ("consent on file", "同意", "个人信息同意"),
    "tier": ("等级", "客户等级"),
}
SPOKEN: Final[Mapping[str, tuple[str, ...]]] = {
    "zh": ("中文", "普通话", "汉语", "mandarin", "chinese"),
    "en": ("英语", "英文", "english"),
    "yue": ("粤语", "广东话", "cantonese"),
}
NOTICES: Final = frozenset({"notices", "notice", "通知", "接收通知", "停电通知"})

_MANY: Final = re.compile(r"[,，;；、/\n\r|]+")
_SPACES: Final = re.compile(r"\s+")
_PERSONS: Final = re.compile(r"[;；\n\r]+")
_PARTS: Final = re.compile(r"[|/｜／]")
_EXTENSION: Final = re.compile(r"(?:转|分机|ext\.?|x)\s*\d{1,6}$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RowFault:
    """What is wrong in one field of one row."""

    row_no: int
    account_no: str
    field: str
    what: str


@dataclass(slots=True)
class Draft:
    """What a row gives: the fields whose columns are there, and no others."""

    row_no: int
    account_no: str = ""
    fields: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    faults: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Register:
    """What a row is read against."""

    plan: Plan
    agents: Mapping[str, str]  # an agent's id or name -> his id
    read_number: Callable[[str], str | None]  # a number as written -> E.164


Read = Callable[[str], Any]


def column_names(plan: Plan) -> tuple[str, ...]:
    """The columns a table of this site's customers may have."""
    built_in = [name for name in TITLES if name != "tier" or not has_rules(plan)]
    return (*built_in, *(name for name in plan.attributes if name not in built_in))


class Columns:
    """The columns of one table, found by their headings, and how each is read."""

    def __init__(self, headings: Sequence[str], register: Register) -> None:
        self.register = register
        self.faults: list[tuple[str, str]] = []
        self.names = tuple(self._named(heading) for heading in headings)
        self._find_twice()
        if "account_no" not in self.names:
            self.faults.append(
                ("account_no", "there is no column with the account number (account_no, 户号)")
            )
        attributes = register.plan.attributes
        self._built_in = [
            (index, name, _reader(name, register))
            for index, name in enumerate(self.names)
            if name and name not in attributes and name != "account_no"
        ]
        self._declared = [
            (index, attributes[name]) for index, name in enumerate(self.names) if name in attributes
        ]
        self._account = self.names.index("account_no") if "account_no" in self.names else -1

    def read(self, row_no: int, cells: Sequence[str]) -> Draft:
        """The row as a draft, with what is wrong in it; a row that is too short ends in empty cells."""
        draft, count = Draft(row_no), len(cells)
        if count > len(self.names) and any(cells[len(self.names) :]):
            draft.faults.append(("", "has more cells than there are headings"))
        try:
            draft.account_no = (
                read_account(cells[self._account]) if self._account < count else read_account("")
            )
        except UnreadableError as fault:
            draft.faults.append(("account_no", str(fault)))
        for index, name, read in self._built_in:
            try:
                draft.fields[name] = read(cells[index] if index < count else "")
            except UnreadableError as fault:
                draft.faults.append((name, str(fault)))
        for index, attribute in self._declared:
            try:
                draft.attributes[attribute.id] = read_value(attribute, cells[index] if index < count else "")
            except UnreadableError as fault:
                draft.faults.append((attribute.id, str(fault)))
        return draft

    def _named(self, heading: str) -> str:
        """The field that this heading names; an empty one names none, and its column is left alone."""
        title = folded(heading)
        if not title:
            return ""
        titles = self.titles
        if title in titles:
            return titles[title]
        known = f"{suggestion(title, list(titles))}"
        self.faults.append((heading, f"'{heading}' is no field of this site's customers{known}"))
        return ""

    def _find_twice(self) -> None:
        for name in dict.fromkeys(filter(None, self.names)):
            if self.names.count(name) > 1:
                self.faults.append((name, "two columns give this field"))

    @property
    def titles(self) -> dict[str, str]:
        """Every heading that is understood, and its field; a site's own word goes before ours."""
        plan = self.register.plan
        built_in = [name for name in column_names(plan) if name in TITLES]
        ours = {folded(title): name for name in built_in for title in TITLES[name]}
        theirs = {
            folded(title): attribute.id
            for attribute in plan.attributes.values()
            for title in attribute.name.values()
        }
        ids = {folded(name): name for name in (*plan.attributes, *built_in)}
        return {**ours, **theirs, **ids}


def folded(heading: str) -> str:
    return tidy(heading).strip("*:： ").casefold().replace(" ", "_").replace("-", "_")


def has_rules(plan: Plan) -> bool:
    """Whether the site's rules give the tiers; else whoever keeps the files does."""
    return any(tier.rule is not None for tier in plan.tiers.values())


def read_account(text: str) -> str:
    account_no = tidy(text).replace(" ", "").upper()
    if not account_no:
        raise UnreadableError("is missing")
    if len(account_no) > ACCOUNT_MAX:
        raise UnreadableError(f"is longer than {ACCOUNT_MAX} characters")
    return account_no


def read_name(text: str) -> str:
    name = tidy(text)
    if not name:
        raise UnreadableError("is missing")
    if len(name) > NAME_MAX:
        raise UnreadableError(f"is longer than {NAME_MAX} characters")
    return name


def read_numbers(text: str, read_number: Callable[[str], str | None]) -> tuple[str, ...]:
    """Several numbers in one cell, however they are set apart; a number in two pieces is one where that reads."""
    if found := read_number(text):
        return (found,)
    numbers: dict[str, None] = {}
    for piece in filter(str.strip, _MANY.split(text)):
        for written in _numbers_in(tidy(piece), read_number):
            if (number := read_number(written)) is None:
                raise UnreadableError(f"'{written}' is not a telephone number")
            numbers[number] = None
    if len(numbers) > NUMBERS_MAX:
        raise UnreadableError(f"has more than {NUMBERS_MAX} numbers")
    return tuple(sorted(numbers))


def _numbers_in(piece: str, read_number: Callable[[str], str | None]) -> Iterator[str]:
    """The whole piece if it is a number (0571-8888 6666), else its words; an extension cannot be told from outside."""
    plain = _EXTENSION.sub("", piece).strip()
    words = _SPACES.split(plain)
    if len(words) == 1 or read_number(plain) is not None:
        yield plain
    else:
        yield from words


def read_contacts(text: str, read_number: Callable[[str], str | None]) -> tuple[Contact, ...]:
    """`李梅 | 采购经理 | 13800138000 0571-88886666 | notices`, one person after another, set apart by `;`."""
    persons: dict[str, Contact] = {}
    for written in filter(str.strip, _PERSONS.split(text)):
        contact = _read_contact(written, read_number)
        if contact.name in persons:
            raise UnreadableError(f"names '{contact.name}' twice")
        for other in persons.values():
            if both := set(other.numbers) & set(contact.numbers):
                raise UnreadableError(f"gives '{min(both)}' to two persons: put it under phones")
        persons[contact.name] = contact
    if len(persons) > CONTACTS_MAX:
        raise UnreadableError(f"has more than {CONTACTS_MAX} persons")
    return tuple(persons.values())


def _read_contact(written: str, read_number: Callable[[str], str | None]) -> Contact:
    name, role, phones, wish, *more = [*map(tidy, _PARTS.split(written)), "", "", ""]
    if any(more):
        raise UnreadableError(f"'{written.strip()}' is not: name | role | numbers | notices")
    if BEFORE_CONTACT in name or not name:
        raise UnreadableError(f"'{written.strip()}' does not begin with a name")
    wants_notices = bool(wish) and (wish.casefold() in NOTICES or read_yes_no(wish))
    numbers = read_numbers(phones, read_number) if phones else ()
    return Contact(name=name, role=role, numbers=numbers, wants_notices=wants_notices)


def _reader(name: str, register: Register) -> Read:
    plan, agents, read_number = register.plan, register.agents, register.read_number
    areas = _by_label((area.id, area.name.values()) for area in plan.areas.values())
    tiers = _by_label((tier.id, tier.name.values()) for tier in plan.tiers.values())
    spoken = _by_label(
        (locale, (language_of(locale), *SPOKEN.get(language_of(locale), ()))) for locale in plan.languages
    )
    readers: dict[str, Read] = {
        "name": read_name,
        "phones": lambda text: read_numbers(text, read_number) if text else (),
        "contacts": lambda text: read_contacts(text, read_number) if text else (),
        "area": lambda text: _one_of(text, areas, "area", list(plan.areas)) if plan.areas else tidy(text),
        "language": lambda text: _one_of(text, spoken, "language", plan.languages),
        "tier": lambda text: _one_of(text, tiers, "tier", list(plan.tiers)),
        "managers": lambda text: _read_agents(text, agents) if text else (),
        "consent": lambda text: read_yes_no(tidy(text)) if tidy(text) else False,
    }
    return readers[name]


def _by_label(entries: Iterator[tuple[str, Any]] | Any) -> dict[str, str]:
    """What may be written for each of these, and the name it has in the site's files."""
    return {label.casefold(): name for name, labels in entries for label in (*labels, name)}


def _one_of(text: str, known: Mapping[str, str], noun: str, names: Sequence[str]) -> str:
    written = tidy(text)
    if not written:
        return ""
    if (found := known.get(written.casefold())) is None:
        raise UnreadableError(f"there is no {noun} named '{written}' ({', '.join(names)})")
    return found


def _read_agents(text: str, agents: Mapping[str, str]) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for written in filter(None, map(tidy, _MANY.split(text))):
        if (agent_id := agents.get(written)) is None:
            raise UnreadableError(f"there is no agent named '{written}'")
        found[agent_id] = None
    return tuple(found)
