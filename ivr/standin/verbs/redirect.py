"""Redirect: another document takes over; an empty address is the present one."""

from ivr.standin.inbox import Target
from ivr.standin.stage import Stage
from ivr.standin.twiml import METHOD, Attribute, Element, Fault, Spec, address


def _inspect(redirect: Element) -> list[Fault]:
    return [] if address(redirect.text) else [Fault(11100, "Redirect: invalid URL")]


SPEC = Spec("Redirect", {"method": Attribute(METHOD, 13710)}, inspect=_inspect)


async def run(stage: Stage, redirect: Element) -> Target | None:
    return Target(stage.address(redirect.text), redirect.word("method", "POST"))
