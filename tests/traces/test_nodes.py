"""Nodes of every kind, webhook by webhook: numbers, words, cases, notices, transfers, messages, sounds."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from config import numbers, site_files
from ivr.service.guide import access_code
from ivr.web import audio
from tests.doubles import ManualClock
from tests.ivr.site import ALL_KINDS, all_kinds_with
from tests.traces.hotline import CALLER, OTHER_CALLER, Caller, Heard, Hotline
from tests.traces.test_twice_and_late import Trace, played, records, same_when_doubled, same_when_late

CODE = "246810"
MAIN = "报修请按1，业务请按2"
KEY_LINE = "+8657195598001"


async def call_of(hotline: Hotline, call_id: str = "CA1") -> Any:
    call = await hotline.switchboard.read_call(call_id=call_id)
    assert call is not None
    return call


async def stock(hotline: Hotline) -> None:
    """A customer with an account, a case with a code, an outage in the east."""
    redis, site = hotline.runtime.redis, f"{{{hotline.runtime.settings.site}}}"
    secret = hotline.runtime.settings.secret_key
    file = {
        "name": "恒达",
        "tier": "key",
        "locale": "",
        "area": "east",
        "account_no": "471100",
        "managers": [],
        "care": "",
    }
    await redis.hset(f"{site}:customers", "C1", json.dumps(file))
    await redis.hset(
        f"{site}:accounts", numbers.account_key(secret, hotline.runtime.settings.site, "471100"), "C1"
    )
    case = {"state": "taken", "code_key": numbers.code_key(secret, CODE), "reply": "已派员处理，退款120元。"}
    await redis.hset(f"{site}:cases", "T000042", json.dumps(case))
    now_ms = hotline.runtime.clock.now_ms()
    notice = {
        "id": "N1",
        "kind": "outage",
        "areas": ["east"],
        "ticket_no": "T000042",
        "text": {"zh": "城东停电。", "en": "No power in the east."},
        "starts_ms": now_ms - 1,
        "ends_ms": now_ms + 3_600_000,
    }
    await hotline.switchboard.raise_notice(notice_id="N1", notice=notice, by="supervisor")


async def known(hotline: Hotline, number: str = CALLER) -> None:
    """From now on this number is the customer's."""
    key = numbers.number_key(hotline.runtime.settings.secret_key, number)
    await hotline.runtime.redis.hset(f"{{{hotline.runtime.settings.site}}}:numbers", key, "C1")


# What a caller hears


async def test_a_number_is_asked_for_up_to_the_pound_key_and_attaches_its_customer(kinds: Hotline) -> None:
    await stock(kinds)
    caller = kinds.caller()
    asked = await caller.dial_and_press("1")
    gather = next(asked.root.iter("Gather"))
    assert {name: gather.attrib.get(name) for name in ("input", "finishOnKey", "numDigits")} == {
        "input": "dtmf",
        "finishOnKey": "#",
        "numDigits": None,
    }
    missed = await caller.key_in(asked, "999999")
    assert missed.said == "没有这个户号。 请输入户号，按井号键结束。"
    assert not (await call_of(kinds)).is_known
    meter = await caller.key_in(missed, "471100")
    assert meter.said == "请输入表数。"
    assert (await caller.key_in(meter, "8080")).verbs == ["Say", "Enqueue"]
    call = await call_of(kinds)
    assert (call.is_known, call.customer_name, call.tier, call.area) == (True, "恒达", "key", "east")
    fields = await kinds.runtime.redis.hgetall("{all_kinds}:call:CA1")
    assert json.loads(fields["given"]) == {"meter_reading": "8080"}
    assert fields["work_queue"] == "repair_east"


async def test_words_choose_and_what_is_unsure_is_asked_back(kinds: Hotline) -> None:
    caller = kinds.caller()
    greeting = await caller.dial()
    gather = next(greeting.root.iter("Gather"))
    assert gather.attrib["input"] == "dtmf speech"
    assert gather.attrib["language"] == "cmn-Hans-CN"
    assert gather.attrib["hints"] == "报修,停电,业务,停电信息,进度,举报"
    assert gather.attrib["numDigits"] == "1"
    unsure = await caller.speak(greeting, "我想办业务", 0.3)
    assert unsure.said == "您要的是业务，对吗？"
    assert (await caller.speak(unsure, "对")).verbs == ["Enqueue"]
    other = kinds.caller("CA2")
    assert (await other.speak(await other.dial(), "业务", 0.95)).verbs == ["Enqueue"]
    third = kinds.caller("CA3")
    assert (await third.speak(await third.dial(), "业务")).said.startswith("您要的是业务"), (
        "no confidence is none"
    )


async def test_cantonese_is_spoken_and_heard_as_such(kinds: Hotline) -> None:
    heard = await kinds.caller().dial_and_press("7")
    assert next(heard.root.iter("Gather")).attrib["language"] == "yue-Hant-HK"
    voices = [(say.attrib["language"], say.attrib["voice"]) for say in heard.root.iter("Say")]
    assert voices[0] == ("yue-HK", "Google.yue-HK-Standard-A")
    assert (await call_of(kinds)).locale == "yue-HK"
    assert heard.said.startswith(MAIN)


async def test_an_extension_is_greeted_as_one(kinds: Hotline) -> None:
    for number, from_ in enumerate(("8001", "sip:front.desk@pbx.example", "client:wang")):
        heard = await kinds.caller(f"CA{number}", from_=from_).dial()
        assert heard.said.startswith("内部专线"), from_
    assert not (await kinds.caller("CA9", from_="95598123").dial()).said.startswith("内部专线")


async def test_a_line_out_of_hours_begins_elsewhere(kinds: Hotline, clock: ManualClock) -> None:
    clock.advance(int(8.5 * 3_600_000) - 1)
    assert MAIN in (await kinds.caller("CA1").dial()).said
    clock.advance(1)
    assert (await kinds.caller("CA2").dial()).said.startswith("现在是非工作时间")
    assert (await kinds.caller("CA3", to=KEY_LINE).dial()).said.startswith("通话将被录音。输入户号")


async def test_a_key_customer_on_his_line_is_greeted_by_name_and_one_who_keys_his_number_without(
    kinds: Hotline,
) -> None:
    await stock(kinds)
    asked = await kinds.caller(to=KEY_LINE).dial_and_press("1")
    assert (await kinds.caller().key_in(asked, "471100")).said.startswith("客户您好，通话将被录音。")
    await known(kinds)
    assert (await kinds.caller("CA2", to=KEY_LINE).dial()).said.startswith("恒达您好，通话将被录音。")


async def test_a_case_is_told_after_its_code_and_three_wrong_ones_lead_to_a_person(kinds: Hotline) -> None:
    await stock(kinds)
    caller = kinds.caller()
    heard = await caller.dial_and_press("3")
    for _ in range(2):
        code = await caller.key_in(heard, "42")
        heard = await caller.key_in(code, "111111")
        assert heard.said == "编号或查询码不对。 请输入编号。"
    third = await caller.key_in(await caller.key_in(heard, "42"), "222222")
    assert (third.said, third.verbs) == ("转人工。", ["Say", "Enqueue"])
    other = kinds.caller("CA2")
    told = await other.key_in(await other.key_in(await other.dial_and_press("3"), "000042"), CODE)
    assert told.said.startswith("编号T 0 0 0 0 4 2：处理中。已派员处理，退款1 2 0元。 报修请按1")
    asked = [
        line["data"]
        for _, line in await kinds.runtime.redis.xrange("{all_kinds}:journal")
        if line["type"] == "case.asked"
    ]
    assert [json.loads(data)["word"] for data in asked] == ["wrong", "wrong", "locked", "ok"]


async def test_callers_of_the_area_hear_the_outage_first_and_can_join_its_ticket(kinds: Hotline) -> None:
    await stock(kinds)
    assert "通知" not in (await kinds.caller("CA1").dial()).said
    await known(kinds)
    caller = kinds.caller("CA2")
    greeting = await caller.dial()
    assert greeting.said == "通知：城东停电。 受影响请按1。"
    joined = await caller.press(greeting, "1")
    assert joined.said.startswith("已登记，编号T 0 0 0 0 4 2。 报修请按1")
    assert (await call_of(kinds, "CA2")).ticket_no == "T000042"
    await caller.key_in(await caller.press(joined, "1"), "1")
    assert (await call_of(kinds, "CA2")).ticket_no == "T000042", "and opens no second one"
    await kinds.switchboard.clear_notice(notice_id="N1", by="supervisor")
    assert "通知" not in (await kinds.caller("CA3").dial()).said


async def test_a_refusal_at_a_notice_that_is_over_holds_while_he_waits(
    kinds: Hotline, tmp_path: Path
) -> None:
    shutil.copytree(ALL_KINDS, tmp_path / "all_kinds")
    menu = tmp_path / "all_kinds" / "menu.yaml"
    told = "There are no notices.}\n    goto: "
    offer = "join: {prompt: {zh: 加入请按1。, en: To join press 1.}, goto: joined}"
    text = menu.read_text("utf-8")
    assert f"{told}main" in text
    menu.write_text(text.replace(f"{told}main", f"{told}business\n    {offer}"), "utf-8")
    kinds.runtime.activate(site_files.read(tmp_path / "all_kinds"))
    await stock(kinds)
    await known(kinds)
    caller = kinds.caller()
    offered = await caller.press(await caller.press(await caller.dial(), ""), "6")
    assert offered.said == "城东：城东停电。 加入请按1。"
    offered = await caller.press(offered, "*")
    await kinds.caller("CA2", OTHER_CALLER).dial_and_press("2")
    await kinds.switchboard.clear_notice(notice_id="N1", by="supervisor")
    kinds.commands.clear()  # until now scripts were sent as text once
    assert (await caller.press(offered, "8")).verbs == ["Enqueue"]
    assert max(kinds.commands["/voice/menu"]) == 2
    call = await call_of(kinds)
    assert (call.state, call.record) == ("queued", "refused")


async def test_a_number_outside_is_rung_and_nobody_there_leads_back(kinds: Hotline) -> None:
    caller = kinds.caller()
    away = await caller.dial_and_press("5")
    dial = next(away.root.iter("Dial"))
    assert (dial.text, dial.attrib["timeout"]) == ("+8657188889999", "20")
    assert "8657188889999" not in dial.attrib["action"]
    assert await kinds.state_of("CA1") == "messaging"
    for status, bridged in (("no-answer", ""), ("busy", ""), ("completed", "false")):
        back = await caller.transferred(away, status, bridged=bridged)
        assert back.said.startswith(f"值班电话无人接听。 {MAIN}")
        assert await kinds.state_of("CA1") == "menu"
        away = await caller.press(back, "5")
    talked = await caller.transferred(away, "completed", bridged="true")
    assert talked.verbs == ["Say", "Hangup"]
    assert await kinds.state_of("CA1") == "ended transferred"


async def test_a_caller_whose_transfer_was_lost_is_put_through_again(kinds: Hotline) -> None:
    caller = kinds.caller()
    await caller.dial_and_press("5")
    back = await caller.send_on(await caller.post("/voice/incoming?r=1"))
    assert back.verbs == ["Say", "Dial"]
    assert (await caller.transferred(back, "busy")).said.startswith("值班电话无人接听。")


async def test_a_first_word_that_comes_twice_leaves_an_answered_transfer_as_it_is(kinds: Hotline) -> None:
    caller = kinds.caller()
    away = await caller.dial_and_press("5")
    again = await caller.post("/voice/incoming")
    assert again.verbs == ["Pause", "Redirect"]
    assert await kinds.state_of("CA1") == "messaging"
    assert (await caller.transferred(away, "completed", bridged="true")).verbs == ["Say", "Hangup"]
    assert await kinds.state_of("CA1") == "ended transferred"


async def test_who_is_found_in_the_menu_when_his_transfer_is_over_is_not_left_there(kinds: Hotline) -> None:
    caller = kinds.caller()
    away = await caller.dial_and_press("5")
    await caller.post("/voice/incoming?r=1")
    assert await kinds.state_of("CA1") == "menu"
    assert (await caller.transferred(away, "completed", bridged="true")).verbs == ["Say", "Hangup"]
    assert (await kinds.state_of("CA1")).startswith("ended")


async def test_late_news_of_a_transfer_end_no_call_that_has_gone_on(kinds: Hotline) -> None:
    """He came back, chose something else, and only then we hear that the first number had talked to him."""
    caller = kinds.caller()
    away = await caller.dial_and_press("5")
    back = await caller.transferred(away, "no-answer")
    for key, state in (("9", "menu"), ("5", "messaging"), ("", "menu")):
        back = await (caller.press(back, key) if key else caller.transferred(back, "busy"))
        await caller.transferred(away, "completed", bridged="true")
        assert await kinds.state_of("CA1") == state
    await caller.press(back, "0")
    late = await caller.transferred(away, "completed", bridged="true")
    assert late.verbs == ["Enqueue"]
    assert await kinds.state_of("CA1") == "queued"
    assert (await caller.transferred(away, "completed", "completed")).verbs[-1] == "Hangup", (
        "his line is down"
    )
    assert (await kinds.state_of("CA1")).startswith("ended")


async def test_a_late_way_out_of_the_menu_moves_nobody_who_has_gone_on(kinds: Hotline) -> None:
    """The number outside did not answer, he chose anew, and then the first webhook of that transfer comes again."""
    caller = kinds.caller()
    greeting = await caller.press(await caller.dial(), "*")
    hop = await caller.post(greeting.url("Gather", "action"), Digits="5")
    away = await caller.send_on(hop)
    back = await caller.transferred(away, "no-answer")
    assert (await caller.post(hop.url("Redirect"))).verbs == ["Pause", "Redirect"]
    assert await kinds.state_of("CA1") == "menu"
    second = await caller.press(back, "5")
    await caller.post(hop.url("Redirect"))
    assert await kinds.state_of("CA1") == "messaging", "he talks there"
    back = await caller.transferred(second, "busy")
    enqueued = await caller.press(back, "2")
    assert (await caller.post(hop.url("Redirect"))).verbs == ["Pause", "Redirect"]
    assert (await caller.transferred(away, "busy")).verbs == ["Enqueue"]
    assert await kinds.state_of("CA1") == "queued"
    assert (await caller.post("/voice/incoming?r=1")).verbs == enqueued.verbs


async def test_a_late_key_says_goodbye_to_nobody_who_waits(kinds: Hotline, tmp_path: Path) -> None:
    shutil.copytree(ALL_KINDS, tmp_path / "all_kinds")
    menu = tmp_path / "all_kinds" / "menu.yaml"
    text = menu.read_text("utf-8")
    option = "label: {zh: 值班, en: Duty phone}, goto: "
    menu.write_text(
        text.replace(f'{option}duty}}\n      - {{key: "6', f'{option}bye}}\n      - {{key: "6'), "utf-8"
    )
    kinds.runtime.activate(site_files.read(tmp_path / "all_kinds"))
    caller = kinds.caller()
    greeting = await caller.dial()
    for key in ("*", "0"):
        await caller.press(greeting, key)
    assert await kinds.state_of("CA1") == "queued"
    late = await caller.post(greeting.url("Gather", "action"), Digits="5")
    assert late.verbs == ["Pause", "Redirect"]
    assert await kinds.state_of("CA1") == "queued"


async def test_an_anonymous_report_keeps_no_number_and_gives_number_and_code(kinds: Hotline) -> None:
    await stock(kinds)
    await known(kinds)
    caller = kinds.caller()
    record = await caller.press(await caller.press(await caller.dial(), ""), "4")
    assert (record.said, record.verbs) == ("请在提示音后举报。", ["Say", "Record", "Redirect"])
    assert (await caller.post("/voice/incoming?r=1")).verbs == ["Say", "Record", "Redirect"], "his line broke"
    call = await call_of(kinds)
    assert (call.is_anonymous, call.customer_name, call.is_known) == (True, "", False)
    ticket_no, code = call.ticket_no, access_code(kinds.runtime.settings.secret_key, "CA1")
    receipt = await caller.post(
        record.url("Record", "action"), RecordingUrl="https://x/RE1", RecordingDuration="9"
    )
    assert receipt.said == f"编号{' '.join(ticket_no)}，查询码{' '.join(code)}。 再见。"
    assert receipt.verbs[-1] == "Hangup"
    fields = await kinds.runtime.redis.hgetall("{all_kinds}:call:CA1")
    assert code not in json.dumps(fields)
    assert fields["access_key"] == numbers.code_key(kinds.runtime.settings.secret_key, code)
    assert fields["number"] == ""


async def test_whoever_loses_his_line_comes_back_to_where_he_was(kinds: Hotline) -> None:
    """The process dies after the script and before the answer: the provider's own document leads back to us."""
    await stock(kinds)
    caller = kinds.caller()

    async def back() -> Heard:
        return await caller.send_on(await caller.post("/voice/incoming?r=1"))

    code = await caller.key_in(await caller.dial_and_press("3"), "42")
    assert (await back()).said == "请输入查询码。"
    await caller.key_in(code, "111111")
    assert (await back()).said == "请输入编号。"
    wrong = await caller.key_in(await caller.key_in(await back(), "42"), "222222")
    assert wrong.said.startswith("编号或查询码不对。")
    assert (await call_of(kinds)).wrong_codes == 2

    sent = await caller.post(wrong.url("Gather", "action"), Digits="0", FinishedOnKey="#")
    assert sent.verbs == ["Say", "Enqueue"]
    assert (await back()).verbs == ["Enqueue"]


async def test_a_case_that_was_asked_about_and_not_heard_is_asked_once(kinds: Hotline) -> None:
    await stock(kinds)
    caller = kinds.caller()
    code = await caller.key_in(await caller.dial_and_press("3"), "42")
    sent = await caller.post(code.url("Gather", "action"), Digits="111111", FinishedOnKey="#")
    assert sent.verbs == ["Redirect"]
    for _ in range(4):  # it died between the question to the store and the answer, again and again
        await kinds.switchboard.check_case(call_id="CA1", step=4)
    assert (await caller.send_on(sent)).said.startswith("编号或查询码不对。")
    assert (await call_of(kinds)).wrong_codes == 1


async def test_thanks_and_receipt_that_were_lost_are_heard_again(kinds: Hotline) -> None:
    caller = kinds.caller()
    record = await caller.dial_and_press("4")
    receipt = await caller.post(
        record.url("Record", "action"), RecordingUrl="https://x/RE1", RecordingDuration="9"
    )
    assert (await caller.post("/voice/incoming?r=1")).said == receipt.said


async def test_no_address_holds_what_was_keyed_said_or_named(kinds: Hotline) -> None:
    await stock(kinds)
    caller = kinds.caller()
    heard = [await caller.dial_and_press("1")]
    heard.append(await caller.key_in(heard[-1], "471100"))
    heard.append(await caller.key_in(heard[-1], "8080"))
    other = kinds.caller("CA2")
    heard.append(await other.speak(await other.dial(), "查进度", 0.2))
    heard.append(await other.speak(heard[-1], "对"))
    heard.append(await other.key_in(heard[-1], "42"))
    heard.append(await other.key_in(heard[-1], CODE))
    addresses = " ".join(re.findall(r"https://[^<\"]*", " ".join(each.text for each in heard)))
    assert "/voice/menu?" in addresses
    assert not re.search(r"471100|8080|246810|T000042|\+86|%2B86|恒达|进度|%E8", addresses)


async def test_a_recorded_prompt_is_played_and_spoken_when_the_file_is_gone(
    kinds: Hotline, tmp_path: Path
) -> None:
    greeting = await kinds.caller().dial()
    play = next(greeting.root.iter("Play")).text or ""
    assert re.fullmatch(r"https://hotline\.example/voice/audio/[0-9a-f]{64}\.wav", play)
    sound = await kinds.client.get(play)
    assert (sound.status_code, sound.headers["content-type"]) == (200, "audio/wav")
    assert sound.content == (ALL_KINDS / "audio" / "welcome.zh.wav").read_bytes()
    assert "immutable" in sound.headers["cache-control"]
    for name in ("0" * 64 + ".wav", "welcome.zh.wav", "..%2Fsite.yaml", "x"):
        assert (await kinds.client.get(f"/voice/audio/{name}")).status_code == 404

    shutil.copytree(ALL_KINDS, tmp_path / "all_kinds")
    settings = replace(kinds.runtime.settings, sites_dir=tmp_path)
    files = site_files.read(tmp_path / "all_kinds")
    moved = Hotline.of(replace(kinds.runtime, settings=settings, site_files=files))
    (tmp_path / "all_kinds" / "audio" / "welcome.zh.wav").unlink()
    spoken = await moved.caller("CA2").dial()
    assert "Play" not in [verb.tag for verb in spoken.root.iter()]
    assert spoken.said.startswith("您好，通话将被录音，不同意请按8。")
    await moved.client.aclose()


async def test_a_call_keeps_the_words_it_began_with(kinds: Hotline, tmp_path: Path) -> None:
    caller = kinds.caller()
    old = await caller.dial()
    shutil.copytree(ALL_KINDS, tmp_path / "all_kinds")
    menu = tmp_path / "all_kinds" / "menu.yaml"
    menu.write_text(
        menu.read_text("utf-8").replace("请留言。", "新的留言。").replace("业务请按2", "业务请按三"), "utf-8"
    )
    kinds.runtime.activate(site_files.read(tmp_path / "all_kinds"))
    await kinds.switchboard.activate_version(version=kinds.runtime.site_files.version, by="admin")
    assert "业务请按2" in (await caller.press(old, "*")).said
    assert "业务请按三" in (await kinds.caller("CA2").dial()).said
    again = await caller.post("/voice/incoming?r=1")
    assert "业务请按2" in again.said


async def test_a_call_keeps_a_language_that_there_is_no_more(kinds: Hotline, tmp_path: Path) -> None:
    english, waiting = kinds.caller(), kinds.caller("CA2", OTHER_CALLER)
    record = await english.dial_and_press("94")
    enqueued = await waiting.dial_and_press("90")
    british = (
        ("site", "languages: [zh-CN, en-US, yue-HK]", "languages: [zh-CN, en-GB, yue-HK]"),
        ("site", "en-US: {language: en-US, voice: Polly.Joanna", "en-GB: {language: en-GB, voice: Polly.Amy"),
        ("menu", "set: en-US", "set: en-GB"),
    )
    kinds.runtime.activate(all_kinds_with(tmp_path, *british))
    receipt = await english.post(
        record.url("Record", "action"), RecordingUrl="https://x/RE1", RecordingDuration="9"
    )
    assert receipt.said.startswith("Number T ")
    assert {say.attrib["voice"] for say in receipt.root.iter("Say")} == {"Polly.Amy-Neural"}
    assert (await waiting.wait(enqueued)).said == "You are number 1"


@pytest.mark.parametrize(
    "told",
    [
        'prompt: {zh: "{customer_name}请留言。", en: Leave a message.}',
        "prompt: {zh: 请留言。, en: Leave a message.}\n    audio: {zh: welcome.zh.wav}",
    ],
)
async def test_a_message_that_broke_off_is_asked_for_in_the_same_words(
    kinds: Hotline, clock: ManualClock, tmp_path: Path, told: str
) -> None:
    changed = ("menu", "prompt: {zh: 请留言。, en: Leave a message.}", told)
    kinds.runtime.activate(all_kinds_with(tmp_path, changed))
    await stock(kinds)
    await known(kinds)
    clock.advance(9 * 3_600_000)
    caller = kinds.caller()
    asked = await caller.press(await caller.dial(), "")
    assert asked.verbs[-2:] == ["Record", "Redirect"]
    again = await caller.post("/voice/incoming?r=1")
    assert (again.verbs, again.said) == (asked.verbs, asked.said)
    assert again.root[0].text == asked.root[0].text


async def test_a_recorded_prompt_is_read_once_for_all_webhooks(
    kinds: Hotline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = "zh: 报修请按1，业务请按2，进度请按3，举报请按4，公告请按6，值班请按5。\n"
    english = "      en: Repairs 1, business 2, progress 3, report 4, notices 6, duty phone 5.\n"
    played = ("menu", asked + english, f"{asked}{english}    audio: {{zh: welcome.zh.wav}}\n")
    kinds.runtime.activate(all_kinds_with(tmp_path, played))
    read: list[str] = []

    def reads(directory: Path, name: str, digest: str) -> bytes | None:
        read.append(name)
        return site_files.read_audio(directory, name, digest)

    monkeypatch.setattr(audio, "read_audio", reads)
    heard = await kinds.caller().dial_and_press("*")
    assert "Play" in [verb.tag for verb in heard.root.iter()]
    assert read == ["welcome.zh.wav"]


# The same twice, late, and with the store down


async def keys_in_numbers(hotline: Hotline, clock: ManualClock) -> None:
    await stock(hotline)
    caller = hotline.caller()
    heard = await caller.key_in(await caller.dial_and_press("1"), "123")
    heard = await caller.key_in(await caller.key_in(heard, "999999"), "471100")
    await gives_up(caller, await caller.key_in(heard, "8080"), clock)


async def speaks_unsurely(hotline: Hotline, clock: ManualClock) -> None:
    caller = hotline.caller()
    heard = await caller.speak(await caller.dial(), "报修", 0.4)
    heard = await caller.speak(await caller.speak(heard, "不是"), "业务", 0.9)
    await gives_up(caller, heard, clock)


async def asks_about_a_case(hotline: Hotline, clock: ManualClock) -> None:
    await stock(hotline)
    caller = hotline.caller()
    heard = await caller.dial_and_press("3")
    for code in ("111111", "222222"):
        heard = await caller.key_in(await caller.key_in(heard, "42"), code)
    heard = await caller.key_in(await caller.key_in(heard, "42"), CODE)
    await gives_up(caller, await caller.press(heard, "0"), clock)


async def is_locked_out(hotline: Hotline, clock: ManualClock) -> None:
    await stock(hotline)
    caller = hotline.caller()
    heard = await caller.dial_and_press("3")
    for code in ("111111", "222222", "333333"):
        heard = await caller.key_in(await caller.key_in(heard, "42"), code)
    await gives_up(caller, heard, clock)


async def joins_an_outage(hotline: Hotline, clock: ManualClock) -> None:
    await stock(hotline)
    await known(hotline)
    caller = hotline.caller()
    await gives_up(caller, await caller.press(await caller.press(await caller.dial(), "1"), "2"), clock)


async def is_transferred_in_vain_and_then_talks(hotline: Hotline, clock: ManualClock) -> None:
    caller = hotline.caller()
    away = await caller.dial_and_press("5")
    clock.advance(20_000)
    away = await caller.press(await caller.transferred(away, "no-answer"), "5")
    clock.advance(9_000)
    await caller.report_end()
    await caller.transferred(away, "completed", "completed", bridged="true")


async def reports_anonymously(hotline: Hotline, clock: ManualClock) -> None:
    await stock(hotline)
    await known(hotline)
    caller = hotline.caller()
    record = await caller.press(await caller.press(await caller.dial(), ""), "4")
    clock.advance(30_000)
    await speaks_and_hangs_up(caller, record)


async def comes_at_night(hotline: Hotline, clock: ManualClock) -> None:
    clock.advance(10 * 3_600_000)
    caller = hotline.caller()
    record = await caller.press(await caller.dial(), "")
    await speaks_and_hangs_up(caller, record)


async def speaks_and_hangs_up(caller: Caller, record: Heard) -> None:
    await caller.report_end()
    told = {"RecordingUrl": "https://x/RE1", "RecordingDuration": "9"}
    await caller.post(record.url("Record", "action"), "completed", **told)


async def gives_up(caller: Caller, enqueued: Heard, clock: ManualClock) -> None:
    await caller.wait(enqueued)
    clock.advance(30_000)
    await caller.report_end()
    await caller.leave_queue(enqueued, "hangup", "completed")


TRACES: tuple[Trace, ...] = (
    keys_in_numbers,
    speaks_unsurely,
    asks_about_a_case,
    is_locked_out,
    joins_an_outage,
    is_transferred_in_vain_and_then_talks,
    reports_anonymously,
    comes_at_night,
)


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
async def test_every_webhook_twice_gives_the_same_documents_and_records(kinds: Hotline, trace: Trace) -> None:
    await same_when_doubled(kinds, trace)


@pytest.mark.parametrize("trace", TRACES, ids=lambda trace: trace.__name__)
async def test_late_reports_leave_the_same_records(kinds: Hotline, trace: Trace) -> None:
    """The word that his line is down comes before the last webhook, or after it."""
    await same_when_late(kinds, trace, seeds=4)


async def test_no_webhook_costs_more_than_two_scripts(kinds: Hotline) -> None:
    for trace in TRACES:
        await played(kinds, trace)
    kinds.commands.clear()  # until now scripts were sent as text once
    for trace in TRACES:
        await played(kinds, trace)
    assert set(kinds.commands.pop("/voice/incoming")) == {1}
    assert {name: counts for name, counts in kinds.commands.items() if max(counts) > 2} == {}


async def test_nobody_is_left_without_a_record(kinds: Hotline) -> None:
    await played(kinds, reports_anonymously)
    (call,) = (await records(kinds))["calls"].values()
    assert (call["outcome"], call["ticket_type"], call["is_anonymous"]) == ("voicemail", "report", "1")
