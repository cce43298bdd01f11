"""What a webhook costs the live store, and what callers hear when there is none."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from config import redis as live
from config.runtime import Runtime
from config.store_server import StoreHandle, socket_path, start_store
from tests.doubles import ManualClock
from tests.traces.hotline import Hotline
from tests.traces.test_twice_and_late import TRACES, played

VOICE_PATHS = (
    "/voice/incoming",
    "/voice/menu?n=main_menu&t=0&l=zh-CN&v=1&s=0",
    "/voice/wait?l=zh-CN&n=0",
    "/voice/left-queue?l=zh-CN",
    "/voice/connect/CA1-1",
    "/voice/after/CA1-1",
    "/voice/menu?n=main_menu&t=0&l=zh-CN&v=1&s=0&e=1",
    "/voice/message?l=zh-CN",
    "/voice/transferred?n=main_menu&t=0&l=zh-CN&v=1&s=0",
    "/voice/agent/CA1-1",
    "/voice/agent/CA1-1/join",
    "/voice/agent/CA1-1/left",
)
REPORT_PATHS = ("/voice/status", "/voice/agent/CA1-1/status", "/voice/conference/CA1-1")


async def test_arrival_is_one_script_and_later_steps_are_one_or_two(hotline: Hotline) -> None:
    for trace in TRACES:
        await played(hotline, trace)
    hotline.commands.clear()  # until now scripts were sent as text once
    for trace in TRACES:
        await played(hotline, trace)
    print("\ncommands to the live store per webhook")
    for name, counts in sorted(hotline.commands.items()):
        print(
            f"  {name:24} {' '.join(f'{commands}: {times}x' for commands, times in sorted(counts.items()))}"
        )
    assert set(hotline.commands.pop("/voice/incoming")) == {1}
    assert {name: counts for name, counts in hotline.commands.items() if max(counts) > 2} == {}


@pytest.mark.parametrize("path", [*VOICE_PATHS, *REPORT_PATHS])
async def test_no_route_listens_to_the_unsigned(hotline: Hotline, path: str) -> None:
    answer = await hotline.client.post(
        path, data={"CallSid": "CA1"}, headers={"X-Twilio-Signature": "forged"}
    )
    assert (answer.status_code, answer.text) == (403, "")
    assert await hotline.runtime.redis.keys("{power}:call:*") == []


class Store:
    """A live store of one test's own, to stop and start."""

    def __init__(self, runtime: Runtime, directory: Path) -> None:
        url = f"unix://{socket_path(directory)}"
        self.settings = replace(runtime.settings, state_dir=directory, redis_url=url)
        self.handle: StoreHandle | None = None

    async def start(self) -> None:
        self.handle = start_store(replace(self.settings, redis_url=None))
        await live.wait_for_store(self.settings)

    def stop(self) -> None:
        if self.handle:
            self.handle.stop()
            self.handle = None


@pytest.fixture
def store(runtime: Runtime, tmp_path: Path) -> Iterator[Store]:
    store = Store(runtime, tmp_path / "own")
    yield store
    store.stop()


async def test_the_store_stops_mid_call_and_the_call_goes_on(
    runtime: Runtime, store: Store, clock: ManualClock
) -> None:
    await store.start()
    async with live.connect(store.settings) as redis:
        hotline = Hotline.of(replace(runtime, settings=store.settings, redis=redis))
        caller = hotline.caller()
        question = await caller.dial_and_press("1")
        enqueued = await hotline.caller("CA2").dial_and_press("0")
        waiting = await hotline.caller("CA2").wait(enqueued)

        store.stop()
        safe = await caller.press(question, "1")
        assert safe.status == 200
        assert safe.said == "系统繁忙，请不要挂机，我们马上为您服务。"
        assert safe.verbs == ["Say", "Pause", "Redirect"]
        again = await caller.post(safe.url("Redirect"))
        assert "r=2" in again.url("Redirect")
        held = await hotline.caller("CA2").wait(waiting)
        assert held.verbs == ["Say", "Pause", "Redirect"]
        for path in VOICE_PATHS:
            assert (await caller.post(path, RecordingUrl="https://x/RE1")).verbs[-1] == "Redirect", path
        for path in REPORT_PATHS:
            assert (await caller.post(path, "completed")).status in {200, 503}, path

        clock.advance(8_000)
        await store.start()
        asked = await caller.post(again.url("Redirect"))
        assert asked.said == question.said, "the lost key does not count as silence"
        assert (await caller.press(asked, "1")).verbs == ["Say", "Enqueue"]
        assert "Play" in (await hotline.caller("CA2").post(held.url("Redirect"))).verbs
        call = await hotline.switchboard.read_call(call_id="CA1")
        assert call is not None
        # A store that stopped may have lost its last second: numbers that were told in it are not told again.
        assert (call.state, call.matter, call.ticket_no) == ("queued", "danger", "T000102")
        await hotline.client.aclose()


async def test_a_store_that_came_back_empty_greets_the_caller_again(hotline: Hotline) -> None:
    caller = hotline.caller()
    enqueued = await caller.dial_and_press("0")
    await hotline.runtime.redis.flushdb()
    assert (await caller.wait(enqueued)).verbs == ["Leave"]
    back = await caller.leave_queue(enqueued, "leave")
    assert back.verbs == ["Pause", "Redirect"]
    assert (await caller.post(back.url("Redirect"))).verbs == ["Gather", "Redirect"]
    assert await hotline.state_of("CA1") == "menu"


async def test_a_store_that_lost_the_step_into_the_queue_asks_the_caller_again(hotline: Hotline) -> None:
    caller = hotline.caller()
    question = await caller.dial()
    enqueued = await hotline.caller("CA2").dial_and_press("0")
    assert (await caller.wait(enqueued)).verbs == ["Leave"], "he had heard the same"
    back = await caller.leave_queue(enqueued, "leave")
    assert back.verbs == ["Pause", "Redirect"]
    assert (await caller.post(back.url("Redirect"))).said == question.said
    pulled = await caller.connect("CA1-1")  # even further: an agent had accepted him
    assert pulled.verbs == ["Pause", "Redirect"]
    assert (await caller.post(pulled.url("Redirect"))).said == question.said
    assert await hotline.state_of("CA1") == "menu"
