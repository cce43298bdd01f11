"""An anonymous report by telephone, at the hotlines where key 5 is for complaints and 3 there for such a report."""

import re

from tests.traces.hotline import Caller, Heard


async def choose(caller: Caller, heard: Heard) -> Heard:
    """As far as the beep."""
    return await caller.press(await caller.press(heard, "5"), "3")


async def speak(caller: Caller, record: Heard) -> tuple[str, str]:
    """A message; the digits of the case number that is told for it, and the access code."""
    told = {"RecordingUrl": "https://x/RE1", "RecordingDuration": "31"}
    receipt = await caller.post(record.url("Record", "action"), **told)
    await caller.report_end()
    said = re.search(r"编号是T ([\d ]+)，查询码是([\d ]+)。", receipt.said)
    assert said, receipt.said
    return said[1].replace(" ", ""), said[2].replace(" ", "")
