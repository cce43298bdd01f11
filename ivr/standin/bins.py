"""Hosted documents, as the provider hosts them: they answer when the customer cannot.

A bin is a template. It may use what the request says (``{{ From }}``, ``{{ ErrorCode }}``), ``n`` from its
address (``/bins/hold?n=2``) and ``visits``, how often this call has been here, so that it can send a caller
back a number of times and then give up: ``{% if visits < 5 %}<Redirect>…</Redirect>{% else
%}<Dial>…</Dial>{% endif %}``.
"""

from collections import Counter
from collections.abc import Mapping

from jinja2 import Undefined
from jinja2.sandbox import SandboxedEnvironment


class Bins:
    def __init__(self, templates: Mapping[str, str]) -> None:
        self._environment = SandboxedEnvironment(autoescape=True, undefined=Undefined)
        self._templates = dict(templates)
        self._visits: Counter[tuple[str, str]] = Counter()

    def put(self, name: str, template: str) -> None:
        self._environment.from_string(template)
        self._templates[name] = template

    def render(self, name: str, params: Mapping[str, str]) -> str | None:
        """The document of that name, or None when there is no such bin."""
        template = self._templates.get(name)
        if template is None:
            return None
        visitor = (name, params.get("CallSid", ""))
        self._visits[visitor] += 1
        counter = params.get("n", "")
        values = {**params, "n": int(counter) if counter.isdigit() else 0, "visits": self._visits[visitor]}
        return self._environment.from_string(template).render(values)
