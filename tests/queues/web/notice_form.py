"""Raising a notice on its page, as a supervisor does it."""

import re

from tests.queues.web.reader import Reader, text_of


async def new_form(boss: Reader, **fields: str) -> dict[str, str]:
    """What the page asks for, with the mark that lets it be sent once."""
    page = await boss.open("/notices/new")
    found = re.search(r'name="form_id" value="(\w+)"', page.text)
    assert found
    return {**fields, "form_id": found[1]}


async def raised(boss: Reader, **fields: str) -> str:
    """The identity of the notice that this makes."""
    sent = await boss.send("/notices", await new_form(boss, **fields))
    assert sent.status_code == 303, text_of(sent)
    return str(sent.headers["Location"].partition("#")[2])
