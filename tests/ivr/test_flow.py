"""The menu's pure step: whatever a caller presses, he ends with a person, a voicemail or a goodbye."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.flow import begin, step
from ivr.domain.heard import Heard
from ivr.domain.steps import (
    CallerFacts,
    Facts,
    Leaving,
    Messaging,
    Needed,
    Queueing,
    Session,
    Step,
    WhoCalls,
)
from ivr.domain.texts import spelled
from ivr.domain.verbs import Gather, Redirect, Say
from tests.ivr.site import power

PLAN, MENU = power()
KEYS = ["", *"0123456789*#"]
ALL_OPEN = frozenset(PLAN.queues)
OFFICE_CLOSED = ALL_OPEN - {"connection"}
TIERS = (*PLAN.tiers, "unheard_of")


def facts(tier: str = "residential", *, is_open: bool = True, name: str = "") -> Facts:
    return Facts(ALL_OPEN if is_open else OFFICE_CLOSED, CallerFacts(tier, bool(name), name))


def start(line: str = "main", known: Facts | None = None, locale: str = "zh-CN") -> Step:
    return begin(MENU, Session(MENU.entries[line], 0, locale, MENU.version, 0), known or facts())


def pressed(keys: str, known: Facts | None = None, line: str = "main") -> Step:
    """Where these keys lead a caller; "-" is silence."""
    known = known or facts()
    at = start(line, known)
    for key in keys:
        assert at.side is None, f"the caller left the menu before {key!r}"
        at = step(MENU, at.session, Heard("" if key == "-" else key), known)
    return at


def said(at: Step) -> str:
    """Everything the caller hears, in order."""
    prompts = [
        prompt for verb in at.verbs for prompt in (verb.prompts if isinstance(verb, Gather) else (verb,))
    ]
    return " ".join(prompt.text for prompt in prompts if isinstance(prompt, Say))


def queued(at: Step) -> tuple[str, str]:
    assert isinstance(at.side, Queueing), at
    return at.side.queue, at.side.matter


def test_a_caller_we_do_not_know_hears_the_notice_and_the_menu_in_one_breath() -> None:
    at = start()
    assert at.session == Session("main_menu", 0, "zh-CN", MENU.version, 0)
    assert said(at).startswith(
        "您好，欢迎致电示例供电24小时供电服务热线。为保证服务质量，本次通话将被录音；如不同意录音，请按8。"
    )
    assert said(at).endswith("重听请按星号键。 For service in English, please press 9.")
    assert isinstance(at.verbs[0], Gather)
    assert at.verbs[1] == Redirect(at.verbs[0].action)


def test_a_key_customer_is_greeted_by_name_and_silence_brings_him_to_his_desk() -> None:
    known = facts("key_customer", name="恒达化纤有限公司")
    at = start(known=known)
    assert at.session.node == "key_menu"
    assert said(at).startswith("尊敬的恒达化纤有限公司，您好，欢迎致电示例供电大客户服务专线。")
    assert queued(pressed("-", known)) == ("key", "enquiry")


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("11", ("outage", "danger")),
        ("12-", ("outage", "power_cut")),
        ("1--", ("outage", "power_cut")),
        ("2", ("general", "billing")),
        ("3", ("connection", "connection")),
        ("4-0", ("general", "enquiry")),
        ("51", ("complaint", "complaint")),
        ("52", ("complaint", "misconduct")),
        ("6---", ("general", "enquiry")),
        ("0", ("general", "enquiry")),
        ("92", ("general", "billing")),
        ("---", ("general", "enquiry")),
        ("5#*-*0", ("general", "enquiry")),
    ],
)
def test_the_keys_of_the_main_line_lead_where_the_prompts_say(keys: str, where: tuple[str, str]) -> None:
    assert queued(pressed(keys)) == where


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("11", ("outage", "danger")),
        ("1-", ("key", "key_power_cut")),
        ("2", ("key", "connection")),
        ("3", ("key", "billing")),
        ("4", ("complaint", "complaint")),
        ("0", ("key", "enquiry")),
        ("#12", ("outage", "power_cut")),
    ],
)
def test_the_keys_of_key_customers_lead_to_their_desk(keys: str, where: tuple[str, str]) -> None:
    for line in ("main", "key_line"):
        assert queued(pressed(keys, facts("high_risk", name="医院"), line)) == where


def test_a_power_cut_begins_with_the_safety_advice() -> None:
    assert said(pressed("1")).startswith("请您注意安全，不要靠近或触碰掉落的电线。")
    assert PLAN.matters["danger"].is_safety


def test_the_third_silence_leads_to_a_person_and_the_first_two_to_the_question() -> None:
    assert [pressed("-" * tries).session.tries for tries in (1, 2)] == [1, 2]
    assert queued(pressed("---")) == ("general", "enquiry")
    assert said(pressed("5-7")).startswith("抱歉，没有这个选项。 投诉与建议请按1")


def test_star_repeats_the_question_and_does_not_count_as_a_try() -> None:
    at = pressed("--*")
    assert (at.session.tries, at.session.step) == (2, 3)
    assert said(at).startswith("停电报修请按1")


def test_the_language_changes_for_everything_that_follows() -> None:
    at = pressed("9")
    assert at.session.locale == "en-US"
    assert said(at).startswith("Hello, and thank you for calling")
    assert "This call will be recorded" in said(at), "the notice counts only in a language he understands"
    assert "For power cuts and repairs, press 1." in said(at)
    assert said(at).endswith("普通话服务请按7。")
    assert said(pressed("92")) == "We are connecting you to our billing desk. Please hold."
    assert pressed("97").session.locale == "zh-CN"


def test_whoever_does_not_wish_to_be_recorded_says_so_with_one_key() -> None:
    at = pressed("8")
    assert at.refuses_recording
    assert (at.session.node, at.session.tries) == ("main_menu", 0)
    assert said(at).startswith("好的，本次通话将不录音。")
    assert not pressed("0").refuses_recording


def test_outside_office_hours_the_connections_desk_takes_a_message() -> None:
    at = pressed("3", facts(is_open=False))
    assert at.side == Messaging(Queueing("connection", "connection", is_open=False), 120_000)
    assert said(at).startswith("您好，业务办理座席的服务时间是工作日八点半到十七点半。")
    assert queued(pressed("0", facts(is_open=False))) == ("general", "enquiry")


def test_the_caller_is_looked_up_only_where_the_menu_asks_who_he_is() -> None:
    unknown = Facts(ALL_OPEN)
    session = Session("main_menu", 0, "zh-CN", MENU.version, 0)
    assert step(MENU, session, Heard("2"), unknown) == step(MENU, session, Heard("2"), facts())
    with pytest.raises(Needed) as asked:
        step(MENU, session, Heard("6"), unknown)
    assert asked.value.need == WhoCalls()


def test_a_session_of_words_that_are_gone_still_leads_to_a_person() -> None:
    assert queued(step(MENU, Session("no_such_node", 0, "zh-CN", "old", 3), Heard("5"), facts())) == (
        "general",
        "enquiry",
    )


def test_a_ticket_number_is_spelled() -> None:
    assert spelled("T000042") == "T 0 0 0 0 4 2"


@given(st.lists(st.sampled_from(KEYS), max_size=60), st.sampled_from(TIERS), st.booleans())
def test_nobody_stays_in_the_menu_for_ever(keys: list[str], tier: str, is_open: bool) -> None:
    known = facts(tier, is_open=is_open)
    at = start(known=known)
    for key in [*keys, *[""] * 10]:
        if at.side is not None:
            break
        at = step(MENU, at.session, Heard(key), known)
    assert isinstance(at.side, Queueing | Messaging | Leaving)
    assert at.session.step <= MENU.steps + 1


@given(st.lists(st.sampled_from(["*", "8", "#"]), min_size=60, max_size=80))
def test_keys_that_lead_nowhere_lead_to_a_person_in_the_end(keys: list[str]) -> None:
    at = start()
    for key in keys:
        if at.side is not None:
            break
        at = step(MENU, at.session, Heard(key), facts())
    assert queued(at) == ("general", "enquiry")
