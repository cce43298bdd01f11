"""R13: the top menu covers enquiry, repair, emergency, business, orders, complaint, report and agent; each key of the
four menus reaches a queue, a message or a voicemail, and none ends in silence."""

import re

import pytest

from config.runtime import Runtime
from tests.requirements.house import House, open_house
from tests.traces.hotline import Caller, Heard

STRANGER = "+8613911112222"
OFFERED = re.compile(r"按(\d)")
ENDS = {"Enqueue": "queue", "Record": "voicemail", "Dial": "transfer", "Hangup": "goodbye"}
# What a top menu must offer, in the words of its own queues and matters: site -> matters reached by its keys.
TOP = {
    "power": {"power_cut", "danger", "billing", "connection", "complaint", "misconduct", "enquiry"},
    "heat": {"burst", "cold_room", "repair", "application", "billing", "complaint", "misconduct", "enquiry"},
    "gas": {
        "emergency", "network_fault", "indoor_repair", "business", "billing", "inspection", "complaint", "enquiry"
    },
    "retail": {"order", "supply", "delivery", "payment", "online", "complaint", "enquiry"},
}  # fmt: skip


def offered(heard: Heard) -> list[str]:
    """The keys that the question speaks of, each once; 8 refuses recording and is asked again."""
    return [key for key in dict.fromkeys(OFFERED.findall(heard.said)) if key != "8"]


def end_of(heard: Heard) -> str:
    return next((end for verb, end in ENDS.items() if verb in heard.verbs), "")


async def main_menu(caller: Caller, heard: Heard) -> Heard:
    """Past an offer of emergencies alone: the menu is the question that offers a person."""
    while "人工服务请按0" not in heard.said:
        heard = await caller.press(heard, "")
    return heard


async def walk(house: House, path: str, leg_id: str = "") -> tuple[Caller, Heard]:
    caller, heard = await house.call(leg_id or f"CAlooks{path}", STRANGER)
    heard = await main_menu(caller, heard)
    for key in path:
        heard = await caller.press(heard, key)
        assert heard.said, f"silence after {path}"
    return caller, heard


async def end_quietly(caller: Caller, heard: Heard) -> str:
    """Where the caller ends who does nothing more, and that he was told something at every step."""
    for _ in range(12):
        if end := end_of(heard):
            return end
        heard = await caller.press(heard, "")
        assert heard.said
    raise AssertionError("the caller is asked for ever")


@pytest.mark.parametrize("site", TOP)
async def test_every_key_of_the_menus_reaches_a_queue_a_message_or_a_voicemail(
    runtime: Runtime, site: str
) -> None:
    async with open_house(runtime, site) as house:
        matters: set[str] = set()
        _, menu = await walk(house, "")
        for key in offered(menu):
            caller, heard = await walk(house, key)
            deeper = [] if end_of(heard) or "请输入" in heard.said or key in "79" else offered(heard)
            for path in (key, *(key + second for second in deeper)):
                caller, heard = await walk(house, path, f"CA{path}")
                assert await end_quietly(caller, heard), path
                matters.add((await house.facts_of(f"CA{path}")).matter)
        assert matters >= TOP[site]
