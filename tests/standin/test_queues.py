"""Waiting: the repeating document, the ways out, and the pull that works once."""

import asyncio
from typing import Any

import pytest
from starlette.responses import Response
from twilio.base.exceptions import TwilioRestException

from ivr.standin.exchange import Exchange
from ivr.standin.handsets import Handset
from tests.standin.conftest import ALICE, BOB, HOTLINE, kinds, over, until
from tests.standin.customer import Customer

ENQUEUE = '<Enqueue action="/left" waitUrl="/wait" maxQueueSize="2">power</Enqueue><Say>after</Say>'


async def waiting(customer: Customer, exchange: Exchange, who: str = ALICE) -> Handset:
    customer.says("/voice", ENQUEUE)
    customer.documents.setdefault("/wait", '<Say>please wait</Say><Pause length="2"/>')
    caller = exchange.dial(who, HOTLINE)
    await until(caller, "queued", "power")
    return caller


async def test_the_wait_document_repeats_and_is_told_the_place(
    customer: Customer, exchange: Exchange
) -> None:
    await waiting(customer, exchange)
    await waiting(customer, exchange, BOB)
    forms = await customer.told("/wait", 6)
    bobs = [form for form in forms if form["From"] == BOB]
    assert {form["QueuePosition"] for form in bobs} == {"2"}
    assert (bobs[0]["CurrentQueueSize"], bobs[0]["MaxQueueSize"], bobs[0]["CallStatus"]) == (
        "2",
        "2",
        "in-progress",
    )
    assert int(bobs[-1]["QueueTime"]) >= 2


async def test_the_action_after_a_gather_in_the_wait_document_keeps_the_place(
    customer: Customer, exchange: Exchange
) -> None:
    customer.says("/wait", '<Gather action="/pressed" numDigits="1" timeout="60"/>')
    customer.says("/pressed", "<Say>you said something</Say>")
    caller = await waiting(customer, exchange)
    await until(caller, "gathering")
    caller.press("1")
    await customer.told("/wait", 2)
    assert customer.to("/pressed")[0]["Digits"] == "1"
    assert (kinds(caller).count("queued"), customer.to("/left")) == (1, [])


async def test_leave_is_a_way_out(customer: Customer, exchange: Exchange) -> None:
    customer.says("/wait", '<Pause length="2"/><Leave/><Say>never</Say>')
    customer.says("/left", "<Say>bye</Say>")
    caller = await waiting(customer, exchange)
    assert await over(caller) == ["bye"]
    [left] = customer.to("/left")
    assert (left["QueueResult"], int(left["QueueTime"]) >= 2) == ("leave", True)


@pytest.mark.parametrize("is_told", [True, False])
async def test_hanging_up_is_told_to_the_action_and_its_answer_not_heard(
    is_told: bool, customer: Customer, exchange: Exchange
) -> None:
    exchange.faults.update({"action_on_hangup": is_told})
    customer.says("/left", "<Say>never</Say>")
    caller = await waiting(customer, exchange)
    caller.hang_up()
    await customer.told("/status")
    if is_told:
        [left] = await customer.told("/left")
        assert (left["QueueResult"], left["CallStatus"]) == ("hangup", "completed")
    assert "never" not in await over(caller)
    assert len(customer.to("/left")) == int(is_told)


async def test_a_full_queue_says_so(customer: Customer, exchange: Exchange) -> None:
    for who in (ALICE, BOB):
        await waiting(customer, exchange, who)
    customer.says("/left", "<Say>full</Say>")
    assert await over(exchange.dial("+8613700137000", HOTLINE)) == ["full"]
    [left] = customer.to("/left")
    assert (left["QueueResult"], "QueueSid" in left) == ("queue-full", False)


@pytest.mark.parametrize("bad", ["<Enqueue>again</Enqueue>", "<Record/>", Response(status_code=500)])
async def test_a_bad_wait_document_is_an_error(bad: Any, customer: Customer, exchange: Exchange) -> None:
    customer.says("/wait", bad)
    customer.says("/left", "<Say>sorry</Say>")
    caller = await waiting(customer, exchange)
    assert await over(caller) == ["sorry"]
    assert customer.to("/left")[0]["QueueResult"] == "error"
    assert len(exchange.notifications.entries) == 1
    assert exchange.application_errors == 0


async def test_a_caller_is_pulled_once(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    caller = await waiting(customer, exchange)
    customer.says("/connect", "<Say>connecting</Say>")
    customer.says("/left", "<Say>never</Say>")
    [queue] = await sdk(lambda client: client.queues.list())
    assert (queue.friendly_name, queue.current_size, queue.max_size) == ("power", 1, 2)
    [member] = await sdk(lambda client: client.queues(queue.sid).members.list())
    assert (member.call_sid, member.position) == (caller.sid, 1)

    def pull(client: Any) -> Any:
        return client.queues(queue.sid).members(caller.sid).update(url=f"{customer.url}/connect")

    pulled = await sdk(pull)
    assert pulled.call_sid == caller.sid
    with pytest.raises(TwilioRestException) as second:
        await sdk(pull)
    assert (second.value.status, second.value.code) == (404, 20404)
    assert "connecting" in await over(caller)
    assert "never" not in [heard.text for heard in caller.heard]
    [left] = await customer.told("/left")
    assert left["QueueResult"] == "redirected"
    assert kinds(caller).count("dequeued") == 1


async def test_two_who_pull_the_same_caller_at_once(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    exchange.faults.update({"second_pull_status": 400, "second_pull_code": 21220})
    caller = await waiting(customer, exchange)
    customer.says("/connect", '<Pause length="1"/>')
    queue_sid = next(iter(exchange.queues.by_sid))

    async def pull() -> int:
        try:
            await sdk(
                lambda client: (
                    client.queues(queue_sid).members(caller.sid).update(url=f"{customer.url}/connect")
                )
            )
        except TwilioRestException as refused:
            return refused.code or 0
        return 0

    assert sorted(await asyncio.gather(pull(), pull(), pull())) == [0, 21220, 21220]
    await over(caller)
    assert len(customer.to("/connect")) == 1


async def test_front_takes_whoever_is_first(customer: Customer, exchange: Exchange, sdk: Any) -> None:
    first = await waiting(customer, exchange)
    await waiting(customer, exchange, BOB)
    customer.says("/connect", '<Pause length="60"/>')
    queue_sid = next(iter(exchange.queues.by_sid))
    pulled = await sdk(
        lambda client: client.queues(queue_sid).members("Front").update(url=f"{customer.url}/connect")
    )
    assert pulled.call_sid == first.sid
    assert (await customer.told("/connect"))[0]["CallSid"] == first.sid


async def test_a_redirect_of_a_waiting_call_takes_it_out(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    caller = await waiting(customer, exchange)
    customer.says("/elsewhere", "<Say>elsewhere</Say>")
    await sdk(lambda client: client.calls(caller.sid).update(url=f"{customer.url}/elsewhere"))
    assert (await over(caller))[-1] == "elsewhere"
    assert [form["QueueResult"] for form in await customer.told("/left")] == ["redirected"]


async def test_dialling_a_queue_takes_the_front_and_the_action_follows_the_talk(
    customer: Customer, exchange: Exchange, sdk: Any
) -> None:
    caller = await waiting(customer, exchange)
    customer.says("/agent", '<Dial action="/agent-after"><Queue url="/about">power</Queue></Dial>')
    customer.says("/about", "<Say>now you are connected</Say>")
    phone = exchange.register("bob")
    await sdk(lambda client: client.calls.create(to="client:bob", from_=HOTLINE, url=f"{customer.url}/agent"))
    bob = await anext(aiter(phone))
    bob.answer()
    await until(caller, "bridged")
    assert customer.to("/left") == []
    [about] = customer.to("/about")
    assert (about["CallSid"], about["DequeingCallSid"]) == (caller.sid, bob.sid)
    bob.hang_up()
    assert (await over(caller))[-1] == "now you are connected"
    assert [form["QueueResult"] for form in customer.to("/left")] == ["bridged"]


async def test_queues_by_rest(exchange: Exchange, sdk: Any) -> None:
    queue = await sdk(lambda client: client.queues.create(friendly_name="gas", max_size=5000))
    assert (queue.max_size, queue.current_size) == (5000, 0)
    with pytest.raises(TwilioRestException) as twice:
        await sdk(lambda client: client.queues.create(friendly_name="gas"))
    assert (twice.value.status, twice.value.code) == (400, 22003)
    changed = await sdk(lambda client: client.queues(queue.sid).update(max_size=7))
    assert changed.max_size == 7
    assert await sdk(lambda client: client.queues(queue.sid).delete())
    with pytest.raises(TwilioRestException) as none:
        await sdk(lambda client: client.queues(queue.sid).fetch())
    assert (none.value.status, none.value.code) == (404, 20404)
