"""The file of a customer knows the recordings of his calls, and leads to them."""

import re
from collections.abc import AsyncIterator

import pytest

from config.runtime import Runtime
from ivr.app import build
from recordings.domain.recordings import Kind, Recording, RecordingState
from recordings.store import recordings as store
from tests.queues.hotline import CHEN_NUMBER, Hotline
from tests.queues.web.reader import Door, Reader, text_of


@pytest.fixture
async def hotline(runtime: Runtime) -> Hotline:
    return await Hotline(runtime).open()


@pytest.fixture
async def boss(runtime: Runtime, hotline: Hotline) -> AsyncIterator[Reader]:
    app = build(runtime)
    async with app.router.lifespan_context(app):
        door = Door(app, hotline)
        yield await door.enter("boss", "supervisor")
        await door.close()


def recording(call_id: str, state: RecordingState, length_s: int | None = None) -> Recording:
    return Recording(
        recording_id=f"RE{call_id}",
        call_id=call_id,
        kind=Kind.CALL.value,
        state=state.value,
        duration_s=length_s,
        vault_key="2026/11/x.wav" if state is RecordingState.FETCHED else None,
    )


async def test_calls_stand_with_their_recordings(boss: Reader, hotline: Hotline) -> None:
    await hotline.answered_call("CA1")
    await hotline.answered_call("CA2")
    await hotline.answered_call("CA3", CHEN_NUMBER)
    await hotline.write_down()
    kept = [
        recording("CA1", RecordingState.FETCHED, 61),
        recording("CA2", RecordingState.MISSING),
        recording("CA3", RecordingState.FETCHED, 77),
    ]
    async with hotline.runtime.database.transaction() as connection:
        await store.save(connection, kept)
    page = await boss.open("/customers/C1")
    lines = re.findall(r'<li data-kind="call">.*?</li>', page.text, re.DOTALL)
    told = [re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", line)) for line in lines]
    assert len(told) == 2
    assert "○ 通话录音 录音缺失" in told[0]
    assert "▶ 通话录音 1:01" in told[1]
    assert 'href="/calls/CA1#audio"' in page.text
    assert "1:17" not in text_of(page)


async def test_without_calls_the_line_says_so(boss: Reader) -> None:
    page = await boss.open("/customers/C2")
    assert 'data-kind="call"' not in page.text
