"""Lists, newest first, in pages: follow ``next_page_uri``, whose token says after which entry to go on."""

from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from ivr.standin.rest.asking import ApiError, Ask

PAGE_SIZE, PAGE_SIZE_MAX = 50, 1000
T = TypeVar("T")


def page(
    ask: Ask,
    name: str,
    entries: Sequence[T],
    sid_of: Callable[[T], str],
    show: Callable[[T], dict[str, object]],
) -> dict[str, object]:
    size = min(_number(ask, "PageSize", PAGE_SIZE) or PAGE_SIZE, PAGE_SIZE_MAX)
    number, token = _number(ask, "Page", 0), ask.query("PageToken")
    start = _start(entries, sid_of, token) if token else number * size
    shown = entries[start : start + size]
    has_next = start + size < len(entries)
    return {
        name: [show(entry) for entry in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
        "uri": _uri(ask, {}),
        "first_page_uri": _uri(ask, {"PageSize": size, "Page": 0}),
        "next_page_uri": _uri(
            ask, {"PageSize": size, "Page": number + 1, "PageToken": f"PA{sid_of(shown[-1])}"}
        )
        if has_next
        else None,
        "previous_page_uri": _uri(ask, {"PageSize": size, "Page": number - 1}) if number > 0 else None,
    }


def _start(entries: Sequence[T], sid_of: Callable[[T], str], token: str) -> int:
    for index, entry in enumerate(entries):
        if f"PA{sid_of(entry)}" == token:
            return index + 1
    raise ApiError(400, 20006, "Invalid PageToken")


def _number(ask: Ask, name: str, default: int) -> int:
    text = ask.query(name)
    if not text:
        return default
    if not text.isdigit():
        raise ApiError(400, 20006, f"Invalid {name}")
    return int(text)


def _uri(ask: Ask, paging: dict[str, object]) -> str:
    kept = [(name, value) for name, value in ask.request.query_params.multi_items() if name not in _PAGING]
    query = urlencode([*kept, *((name, str(value)) for name, value in paging.items())])
    path = ask.request.url.path
    return f"{path}?{query}" if query else path


_PAGING = frozenset({"Page", "PageSize", "PageToken"})
