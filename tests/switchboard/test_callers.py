"""Who calls, what he keys, the case he asks about, the notice he hears: on the rules and the real scripts at once."""

import json
from collections import Counter
from dataclasses import dataclass
from typing import Any

import pytest
from redis.asyncio import Redis

from queues.domain import commands as c
from queues.domain.calls import Call
from tests.doubles import MONDAY_0900_MS
from tests.switchboard.people import Story
from tests.switchboard.world import TAG, World

DAY_MS = 24 * 3_600_000
END_MS = MONDAY_0900_MS + DAY_MS


@dataclass
class Caller:
    """One call, and what befalls it in the menu."""

    story: Story
    call_id: str = "lin"

    @property
    def call(self) -> Call:
        return self.story.world.state.calls[self.call_id]

    @property
    def types(self) -> list[str]:
        return [line.type for line in self.story.world.lines]

    async def arrives(self, number_key: str = "k-none", at_ms: int = 0) -> "Caller":
        self.story.now_ms = at_ms or self.story.now_ms
        assert await self.story.arrive(self.call_id, number_key) == "ok"
        return self

    async def does(self, kind: type[c.Command], **about: Any) -> str:
        command: Any = kind
        return await self.story.word(command(now_ms=self.story.now_ms, call_id=self.call_id, **about))

    async def identify(self, account_key: str) -> str:
        return await self.does(c.IdentifyCall, account_key=account_key, default_tier="normal", wrong_max=5)

    async def anonymise(self) -> str:
        return await self.does(c.AnonymiseCall, default_tier="normal")

    async def keeps(self, **given: str) -> None:
        for name, value in given.items():
            assert await self.does(c.KeepGiven, name=name, value=value) == "ok"

    async def asks(self, step: int, case_no: str, code: str = "") -> tuple[str, ...]:
        await self.keeps(case_no=case_no, access_code=code)
        return await self.asks_again(step)

    async def asks_again(self, step: int) -> tuple[str, ...]:
        limits = {"wrong_max": 3, "case_wrong_max": 10, "case_within_ms": DAY_MS}
        about = {"now_ms": self.story.now_ms, "call_id": self.call_id, "step": step}
        return await self.story.world.do(c.CheckCase(**about, **limits))


@pytest.fixture
async def caller(redis: Redis) -> Caller:
    return Caller(Story(await World(redis).open()))


# Who it is


async def test_a_shared_number_opens_the_file_that_stands_first(caller: Caller) -> None:
    """The one before it in the index is gone; the contact's name may have any sign in it."""
    await caller.arrives("k-shared")
    call = caller.call
    assert (call.customer_id, call.customer_name, call.contact, call.shared) == ("C3", "赵", "王~芳", 2)
    assert (call.area, call.is_care, call.tier) == ("west", True, "normal")


async def test_the_manager_is_the_first_who_is_there_or_whose_cover_is(caller: Caller) -> None:
    await caller.arrives("k-shared", MONDAY_0900_MS)
    assert (caller.call.manager, caller.call.manager_name) == ("mei", "美"), "she covers for Bo"
    later = await Caller(caller.story, "wang").arrives("k-shared", MONDAY_0900_MS + 60_000)
    assert (later.call.manager, later.call.manager_name) == ("bo", "Bo"), "his leave is over"


async def test_managers_who_are_all_away_are_nobody(caller: Caller, redis: Redis) -> None:
    people = {
        "bo": {"name": "Bo", "leaves": [{"from_ms": 0, "until_ms": END_MS, "cover": "mei"}]},
        "mei": {"name": "美", "leaves": [{"from_ms": 0, "until_ms": END_MS, "cover": "bo"}]},
        "ann": {"name": "安", "leaves": [{"from_ms": MONDAY_0900_MS, "until_ms": END_MS, "cover": ""}]},
    }
    for agent_id, person in people.items():
        caller.story.world.state.people[agent_id] = json.dumps(person)
        await redis.hset(f"{TAG}:people", agent_id, json.dumps(person))
    await caller.arrives("k-shared")
    assert (caller.call.manager, caller.call.manager_name) == ("", "")


async def test_an_account_number_attaches_its_customer(caller: Caller) -> None:
    await caller.arrives()
    assert await caller.identify("a-none") == "unknown"
    assert await caller.identify("a-dangling") == "unknown"
    assert await caller.identify("a-cared") == "ok"
    assert await caller.identify("a-cared") == "again"
    assert (caller.call.customer_id, caller.call.is_known, caller.call.area) == ("C3", True, "west")
    told = caller.story.world.lines[-1]
    assert (told.type, told.data) == (
        "call.identified",
        {"customer_id": "C3", "tier": "normal", "area": "west"},
    )


async def test_the_tier_of_a_file_that_was_opened_by_mistake_does_not_stay(caller: Caller) -> None:
    await caller.arrives("k-vip")
    assert await caller.identify("a-plain") == "ok"
    assert (caller.call.tier, caller.call.customer_name, caller.call.manager) == ("normal", "王", "")


async def test_who_stands_in_a_queue_is_not_identified_any_more(caller: Caller) -> None:
    await caller.arrives()
    await caller.story.enqueue("lin")
    assert await caller.identify("a-vip") == "stale:queued"


async def test_an_anonymous_caller_is_nobody_and_stays_so(caller: Caller) -> None:
    await caller.arrives("k-vip")
    await caller.identify("a-cared")
    await caller.keeps(meter="42")
    assert await caller.anonymise() == "ok"
    assert await caller.anonymise() == "again"
    call = caller.call
    assert (call.number, call.caller_ref, call.customer_id, call.customer_name) == ("", "", "", "")
    assert (call.is_known, call.tier, call.manager, call.is_care, call.given) == (
        False,
        "normal",
        "",
        False,
        "",
    )
    assert caller.types == ["call.anonymised"], "the lines that told who it is are gone"
    assert caller.story.world.lines[0].data == {
        "line": "main", "tier": "normal", "locale": "en-US", "site_version": "v1", "area": "west",
        "arrived_ms": caller.story.now_ms, "arrival": 1,
    }  # fmt: skip
    assert await caller.identify("a-vip") == "unknown"


async def test_a_call_that_is_over_can_still_forget_who_it_was(caller: Caller) -> None:
    """It came back after the live store had forgotten it, by the news of its end alone."""
    await caller.arrives("k-vip")
    await caller.story.end("lin")
    assert await caller.anonymise() == "ok"
    call = caller.call
    assert (call.number, call.caller_ref, call.customer_id, call.state) == ("", "", "", "ended")
    assert "lin" not in caller.story.world.state.live


async def test_a_file_opened_by_a_keyed_number_is_marked(caller: Caller) -> None:
    await caller.arrives("k-vip")
    assert await caller.identify("a-vip") == "again"
    assert not caller.call.is_keyed, "it is his own"
    assert await caller.identify("a-cared") == "ok"
    assert caller.call.is_keyed


async def test_a_refusal_to_be_recorded_holds_however_late_it_comes(caller: Caller) -> None:
    await caller.arrives()
    await caller.does(c.StepMenu, node="news", step=3, locale="", record="")
    assert await caller.does(c.StepMenu, node="main", step=1, locale="en-US", record="refused") == "again"
    call = caller.call
    assert (call.record, call.node, call.step, call.locale) == ("refused", "news", 3, "zh-CN")
    assert caller.types[-2:] == ["call.menu_stepped"] * 2
    await caller.does(c.StepMenu, node="main", step=1, locale="", record="refused")
    assert caller.types[-3:] != ["call.menu_stepped"] * 3, "once"


async def test_nobody_reads_the_register_by_keying_one_number_after_the_other(caller: Caller) -> None:
    await caller.arrives()
    for n in range(4):
        assert await caller.identify(f"a-none{n}") == "unknown"
        assert await caller.identify(f"a-none{n}") == "unknown", "the webhook that comes twice counts once"
    assert await caller.identify("a-plain") == "ok"
    assert await caller.identify("a-dangling") == "unknown"
    assert [await caller.identify(each) for each in ("a-cared", "a-plain", "a-none")] == ["unknown"] * 3
    assert (caller.call.customer_id, caller.call.wrong_accounts) == ("C2", "5 a-dangling")
    other = await Caller(caller.story, "wang").arrives()
    assert await other.identify("a-cared") == "ok", "another call may ask"


# Which words and which notices


async def test_a_call_keeps_the_version_it_began_with(caller: Caller) -> None:
    await caller.arrives()
    assert caller.call.site_version == "v1", "none has been activated yet"
    activate = c.ActivateVersion(now_ms=caller.story.now_ms, version="v2", by="chief")
    assert await caller.story.word(activate) == "ok"
    assert await caller.story.word(activate) == "again"
    later = await Caller(caller.story, "wang").arrives()
    assert (caller.call.site_version, later.call.site_version) == ("v1", "v2")
    assert caller.story.world.lines[-2].data == {"version": "v2", "by": "chief"}


async def raise_(story: Story, notice_id: str, areas: list[str], starts_ms: int, ends_ms: int | None) -> str:
    notice = {"id": notice_id, "areas": areas, "text": {"zh": notice_id}, "starts_ms": starts_ms}
    text = json.dumps({**notice, "ends_ms": ends_ms, "kind": "outage", "ticket_no": ""})
    return await story.word(c.RaiseNotice(now_ms=story.now_ms, notice_id=notice_id, notice=text, by="chief"))


def heard(caller: Caller) -> list[str]:
    return [notice["id"] for notice in json.loads(caller.call.notices or "[]")]


async def test_a_notice_is_heard_in_its_area_from_its_start_to_its_end(caller: Caller) -> None:
    story, now_ms = caller.story, caller.story.now_ms
    assert await raise_(story, "everywhere", [], now_ms - 1, None) == "ok"
    assert await raise_(story, "everywhere", [], now_ms - 1, None) == "again"
    await raise_(story, "east", ["north", "east"], now_ms, now_ms + 20_000)
    await raise_(story, "tomorrow", ["east"], now_ms + 10_000, None)
    await caller.arrives("k-vip")
    assert heard(caller) == ["everywhere", "east"]
    assert heard(await Caller(story, "wang").arrives("k-plain")) == ["everywhere"], "of no area"
    for later_ms, ids in ((10_000, ["everywhere", "east", "tomorrow"]), (10_000, ["everywhere", "tomorrow"])):
        story.later(later_ms)
        await caller.does(c.TouchCall)
        assert heard(caller) == ids
    clear = c.ClearNotice(now_ms=story.now_ms, notice_id="everywhere", by="chief")
    assert [await story.word(clear), await story.word(clear)] == ["ok", "again"]
    await caller.does(c.TouchCall)
    assert heard(caller) == ["tomorrow"]
    assert caller.types.count("notice.raised") == 3
    assert caller.story.world.lines[-1].data == {"notice_id": "everywhere", "by": "chief"}


async def test_who_has_left_the_menu_is_told_of_no_further_notice(caller: Caller) -> None:
    await caller.arrives()
    await caller.story.enqueue("lin")
    await raise_(caller.story, "late", [], 0, None)
    assert await caller.does(c.TouchCall) == "ok"
    assert heard(caller) == []


async def test_who_is_identified_hears_the_notices_of_that_area(caller: Caller) -> None:
    await raise_(caller.story, "west", ["west"], 0, None)
    await caller.arrives()
    assert heard(caller) == []
    await caller.identify("a-cared")
    assert heard(caller) == ["west"]


# Cases


async def test_a_case_is_told_to_who_has_number_and_code(caller: Caller) -> None:
    await caller.arrives()
    assert await caller.asks(1, "12", "k-1234") == ("ok", "taken", "明天/tomorrow", "T000012")
    assert await caller.asks(2, "000013") == ("ok", "open", "", "T000013"), "one without a code"
    assert await caller.asks(3, "12") == ("wrong",)
    assert await caller.asks(4, "99") == ("unknown",)
    assert [line.data["word"] for line in caller.story.world.lines[1:]] == ["ok", "ok", "wrong", "unknown"]
    assert "000012" not in str(caller.story.world.lines), "which case it was could tell whose"


async def test_what_was_answered_in_a_case_without_a_code_only_its_own_customer_hears(caller: Caller) -> None:
    heard_by_all = ("ok", "taken", "", "T000015")
    await caller.arrives()
    assert await caller.asks(1, "15") == heard_by_all
    assert await caller.identify("a-cared") == "ok"
    assert await caller.asks(2, "15") == heard_by_all, "an account number that was keyed proves nothing"
    owner = await Caller(caller.story, "zhao").arrives("k-shared")
    assert await owner.asks(1, "15") == ("ok", "taken", "已退款", "T000015")
    assert await owner.asks_again(1) == ("ok", "taken", "已退款", "T000015")
    other = await Caller(caller.story, "wang").arrives("k-plain")
    assert await other.asks(1, "15") == heard_by_all


@pytest.mark.parametrize("number_key", ["k-none", "k-vip"])
async def test_what_was_answered_in_nobodys_case_nobody_hears(caller: Caller, number_key: str) -> None:
    await caller.arrives(number_key)
    assert await caller.asks(1, "16") == ("ok", "taken", "", "T000016")
    assert await caller.asks(2, "17") == ("ok", "taken", "", "T000017"), "its index is of an older make"


@pytest.mark.parametrize("keyed", ["12", "000012", "0000012", "000000000012"])
async def test_a_case_is_found_however_many_noughts_are_keyed(caller: Caller, keyed: str) -> None:
    await caller.arrives()
    assert await caller.asks(1, keyed, "k-1234") == ("ok", "taken", "明天/tomorrow", "T000012")
    assert await caller.asks(2, f"{keyed:0>13}", "k-1234") == ("unknown",), "nobody keys so many"
    assert await caller.asks(3, "", "k-1234") == ("unknown",), "and nobody keys none"


async def test_three_wrong_answers_are_the_end_of_it_and_a_webhook_that_comes_twice_counts_once(
    caller: Caller,
) -> None:
    await caller.arrives()
    for step, word in ((1, "wrong"), (2, "unknown"), (3, "locked"), (4, "locked")):
        assert await caller.asks(step, "99" if word == "unknown" else "12", "k-0000") == (word,)
        assert await caller.asks_again(step) == (word,)
    assert await caller.asks(5, "12", "k-1234") == ("locked",)
    assert caller.call.wrong_codes == 3
    other = await Caller(caller.story, "wang").arrives()
    assert (await other.asks(1, "12", "k-1234"))[0] == "ok", "another call may ask"


async def test_a_case_that_is_guessed_at_from_call_to_call_is_locked_for_a_day(caller: Caller) -> None:
    for n in range(5):
        guesser = await Caller(caller.story, f"guess{n}").arrives()
        assert [await guesser.asks(step, "12", f"k-{n}{step}") for step in (1, 2)] == [("wrong",)] * 2
    owner = await caller.arrives()
    assert await owner.asks(1, "12", "k-1234") == ("locked",)
    caller.story.later(DAY_MS)
    assert (await owner.asks(2, "12", "k-1234"))[0] == "ok"


async def test_which_case_was_asked_about_is_forgotten_with_the_end_of_the_call(caller: Caller) -> None:
    await caller.arrives()
    await caller.asks(1, "12", "k-1234")
    await caller.keeps(meter="42")
    await caller.story.end("lin")
    assert json.loads(caller.call.given) == {"meter": "42"}
    assert await caller.does(c.KeepGiven, name="meter", value="43") == "gone"
    assert await caller.asks_again(2) == ("gone",)


async def hash_commands(redis: Redis) -> Counter[str]:
    told = await redis.info("commandstats")
    return Counter(
        {name: told.get(f"cmdstat_{name}", {}).get("calls", 0) for name in ("hmget", "hset", "hvals")}
    )


async def test_what_every_call_does_reads_and_writes_no_record_twice(caller: Caller, redis: Redis) -> None:
    asked, before = {}, await hash_commands(redis)
    for name, done in (
        ("arrive", caller.arrives()),
        ("enqueue", caller.story.enqueue("lin")),
        ("touch", caller.does(c.TouchCall)),
        ("end", caller.story.end("lin")),
    ):
        await done
        asked[name], before = await hash_commands(redis) - before, await hash_commands(redis)
    assert asked == {
        # What is told at the end; what it is, who it is, and the line that names him.
        "arrive": Counter(hmget=1, hset=3, hvals=1),
        # What it was, its place in the lane, and what is told; the move and the lane's rules.
        "enqueue": Counter(hmget=3, hset=2),
        # What it was, and what is told; its place.
        "touch": Counter(hmget=2, hset=1),
        # What it was, its place, what it keyed, its agent, and what is told; the move.
        "end": Counter(hmget=5, hset=1),
    }


# Tickets and other numbers


async def test_who_joins_a_ticket_gets_no_other(caller: Caller) -> None:
    await caller.arrives()
    assert await caller.does(c.JoinTicket, ticket_no="T000012") == "ok"
    assert await caller.does(c.JoinTicket, ticket_no="T000013") == "again"
    await caller.story.enqueue("lin")
    told = caller.story.world.lines[-1].data
    assert (told["ticket_no"], told["ticket_type"]) == ("T000012", ""), "no promise is made of it"
    assert caller.story.world.state.tickets == 0


async def test_whose_matter_needs_a_ticket_of_its_own_gets_it_after_joining_another(caller: Caller) -> None:
    await caller.arrives()
    assert await caller.does(c.JoinTicket, ticket_no="T000012") == "ok"
    await caller.story.enqueue("lin", own_ticket=True)
    told = caller.story.world.lines[-1].data
    assert (told["ticket_no"], told["ticket_type"]) == ("T000001", "repair")


async def test_nobody_joins_a_ticket_that_is_closed(caller: Caller) -> None:
    await caller.arrives()
    assert await caller.does(c.JoinTicket, ticket_no="T000014") == "closed"
    assert caller.call.ticket_no == ""


async def test_whom_nobody_answers_elsewhere_comes_back_to_the_menu(caller: Caller) -> None:
    await caller.arrives()
    assert await caller.does(c.ReturnCall) == "again"
    assert await caller.story.divert("lin", "transfer") == "ok"
    assert await caller.does(c.ReturnCall) == "ok"
    assert (caller.call.state, caller.call.diverted_to) == ("menu", "")
    await caller.story.divert("lin", "transfer")
    await caller.story.end("lin")
    assert caller.call.outcome == "transferred"
    assert await caller.does(c.ReturnCall) == "gone"


async def test_only_a_transfer_leads_back(caller: Caller) -> None:
    await caller.arrives()
    await caller.story.divert("lin", "voicemail")
    assert await caller.does(c.ReturnCall) == "stale:messaging"


async def test_a_step_of_the_menu_that_comes_late_leads_nobody_away(caller: Caller) -> None:
    assert await caller.story.divert("lin", "transfer", step=0) == "gone", "nobody knows him yet"
    await caller.arrives()
    await caller.does(c.StepMenu, node="duty", step=2, locale="", record="")
    assert await caller.story.divert("lin", "transfer", step=1) == "stale:menu"
    assert await caller.story.divert("lin", "transfer", step=2) == "ok"
    assert await caller.story.divert("lin", "transfer", step=3) == "again"
    assert await caller.story.divert("lin", "goodbye", step=1) == "stale:messaging"
    await caller.does(c.ReturnCall)
    await caller.story.enqueue("lin")
    assert await caller.story.divert("lin", "transfer", step=9) == "stale:queued"
    assert await caller.story.divert("lin", "goodbye") == "ok", "not of the menu"
    await caller.story.end("lin")
    assert await caller.story.divert("lin", "transfer", step=9) == "gone"


async def test_who_waited_before_he_was_transferred_keeps_his_place_and_ticket(caller: Caller) -> None:
    await caller.arrives()
    await caller.story.enqueue("lin")
    place_ms = caller.call.queued_ms
    await caller.story.later(30_000).divert("lin", "transfer")
    await caller.does(c.ReturnCall)
    assert await caller.story.later(9_000).enqueue("lin") == "ok"
    assert (caller.call.queued_ms, caller.call.ticket_no) == (place_ms, "T000001")
    assert caller.story.world.state.tickets == 1
