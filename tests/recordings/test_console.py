"""Hearing a recording: by right, in ranges, from us, and written down."""

import httpx2
import pytest

from config.telephony import Audio
from recordings.service.recordings import fetch_audio
from tests.doubles import ManualClock, TelephonyDouble
from tests.recordings.conftest import Desk

WAV = b"RIFF" + bytes(range(252))
URL = "/recordings/RE1/audio"


@pytest.fixture
async def recorded(desk: Desk, telephony: TelephonyDouble) -> Desk:
    telephony.audio["RE1"] = Audio(content=WAV, content_type="audio/x-wav", channels=2)
    await desk.answered_call("CA1")
    await desk.told("completed", "CA1")
    await desk.write_down()
    return desk


async def test_a_reviewer_hears_it_whole(recorded: Desk) -> None:
    qa = await recorded.signed_in("qa", "qa")
    answer = await qa.get(URL)
    assert (answer.status_code, answer.content) == (200, WAV)
    headers = {name: answer.headers[name] for name in ("content-type", "accept-ranges", "cache-control")}
    assert headers == {
        "content-type": "audio/wav",
        "accept-ranges": "bytes",
        "cache-control": "private, no-store",
    }


async def test_a_player_seeks(recorded: Desk) -> None:
    qa = await recorded.signed_in("qa", "qa")
    middle = await qa.get(URL, headers={"Range": "bytes=100-149"})
    assert (middle.status_code, middle.content) == (206, WAV[100:150])
    assert middle.headers["content-range"] == f"bytes 100-149/{len(WAV)}"
    tail = await qa.get(URL, headers={"Range": "bytes=-16"})
    assert (tail.status_code, tail.content) == (206, WAV[-16:])
    beyond = await qa.get(URL, headers={"Range": "bytes=9999-"})
    assert beyond.status_code == 416


async def test_an_agent_hears_his_own_calls_only(recorded: Desk) -> None:
    wang = await recorded.signed_in("wang", "agent", agent_id="wang")
    zhao = await recorded.signed_in("zhao", "agent", agent_id="zhao")
    nobody = await recorded.signed_in("nobody", "agent")
    answers = [(await browser.get(URL)).status_code for browser in (wang, zhao, nobody)]
    assert answers == [200, 404, 404]


async def test_a_stranger_is_sent_to_the_door(recorded: Desk) -> None:
    async with recorded.browser() as stranger:
        answer: httpx2.Response = await stranger.get(URL)
    assert answer.status_code in (303, 401)
    assert b"RIFF" not in answer.content


async def test_every_look_is_written_down_once(recorded: Desk, clock: ManualClock) -> None:
    qa = await recorded.signed_in("qa", "qa")
    for span in ("bytes=0-9", "bytes=10-19", "bytes=20-29"):
        await qa.get(URL, headers={"Range": span})
    (account_id,) = [row["account_id"] for row in await recorded.rows("accounts")]
    looks = await recorded.rows("audits", "account_id", "action", "subject")
    assert looks == [{"account_id": account_id, "action": "recording.played", "subject": "RE1"}]
    clock.advance(600_000)
    await qa.get(URL)
    assert len(await recorded.rows("audits")) == 2


async def test_what_is_not_there_is_not_found_and_not_written_down(recorded: Desk) -> None:
    qa = await recorded.signed_in("qa", "qa")
    await recorded.told("in-progress", "CA1", "RE2")
    await recorded.write_down()
    for path in ("/recordings/RE2/audio", "/recordings/RE404/audio", "/recordings/..%2F..%2Fsecret/audio"):
        assert (await qa.get(path)).status_code == 404
    assert await recorded.rows("audits") == []


async def test_a_file_that_was_lost_is_fetched_again(recorded: Desk, telephony: TelephonyDouble) -> None:
    path = recorded.runtime.settings.state_dir / "vault" / "2026" / "11" / "RE1.wav"
    path.unlink()
    qa = await recorded.signed_in("qa", "qa")
    assert (await qa.get(URL)).status_code == 404
    await fetch_audio(recorded.runtime, "RE1")
    assert (await qa.get(URL)).content == WAV
    assert telephony.fetched == ["RE1", "RE1"]
