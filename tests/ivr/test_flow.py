"""The menu's pure step: whatever a caller presses, says or keeps to himself, he is led somewhere he is served."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.domain.flow import again, begin, door, is_question, step
from ivr.domain.heard import SILENCE, Heard
from ivr.domain.steps import (
    Account,
    CallerFacts,
    CaseFacts,
    CaseState,
    Facts,
    Given,
    Joining,
    Leaving,
    Messaging,
    Needed,
    Queueing,
    RunningNotice,
    Session,
    Step,
    Transferring,
    WhoCalls,
    session_address,
)
from ivr.domain.texts import spelled, spelled_in
from ivr.domain.verbs import Gather, Play, Redirect, Say
from tests.ivr.site import all_kinds

PLAN, MENU = all_kinds()
KEYS = ["", *"0123456789*#"]
ALL_OPEN = frozenset(PLAN.queues)
DAY = Facts(ALL_OPEN, CallerFacts("ordinary", is_known=False, line="main"), frozenset(PLAN.calendars))
NIGHT = replace(DAY, open_queues=ALL_OPEN - {"business"}, open_calendars=frozenset({"always"}))
OUTAGE = RunningNotice(
    (("zh", "城东停电，工单T000042，电话95598。"), ("en", "No power in the east.")), "T000042"
)
CHATTER = RunningNotice((("zh", "周日检修。"), ("en", "Works on Sunday.")))


def caller(facts: Facts = DAY, **known: object) -> Facts:
    assert facts.caller is not None
    return replace(facts, caller=replace(facts.caller, **known))  # type: ignore[arg-type]


def start(facts: Facts = DAY, node: str = "", locale: str = "zh-CN") -> Step:
    entry = node or door(MENU, facts.caller.line if facts.caller else "main", facts)
    return begin(MENU, Session(entry, 0, locale, MENU.version, 0), facts)


def hear(at: Step, heard: Heard, facts: Facts = DAY) -> Step:
    """One answer, and the node that the caller is sent on to, as the telephone would."""
    assert at.side is None, "the caller has left the menu"
    return arrive(step(MENU, at.session, heard, facts), facts)


def arrive(at: Step, facts: Facts = DAY) -> Step:
    while (at.side is None and len(at.verbs) == 1) or (
        at.side is None and not isinstance(at.verbs[-2], Gather)
    ):
        there = replace(at.session, is_entering=True)
        assert at.verbs[-1] == Redirect(session_address(there))
        at = step(MENU, there, SILENCE, facts)
    return at


def pressed(keys: str, facts: Facts = DAY, node: str = "main") -> Step:
    """Where these keys lead a caller; "-" is silence."""
    at = arrive(start(facts, node), facts)
    for key in keys:
        at = hear(at, Heard("" if key == "-" else key), facts)
    return at


def need(at: Step, heard: Heard, facts: Facts = DAY) -> object:
    with pytest.raises(Needed) as asked:
        step(MENU, at.session, heard, facts)
    return asked.value.need


def prompts(at: Step) -> list[Say | Play]:
    """Everything the caller hears, in order."""
    found = [
        prompt for verb in at.verbs for prompt in (verb.prompts if isinstance(verb, Gather) else (verb,))
    ]
    return [prompt for prompt in found if isinstance(prompt, Say | Play)]


def said(at: Step) -> str:
    return " ".join(each.text if isinstance(each, Say) else "[sound]" for each in prompts(at))


def gather(at: Step) -> Gather:
    found = next(verb for verb in at.verbs if isinstance(verb, Gather))
    assert at.verbs[-1] == Redirect(found.action), "for providers that fall through on silence"
    return found


def queued(at: Step) -> tuple[str, str]:
    assert isinstance(at.side, Queueing), at
    return at.side.queue, at.side.matter


# Where a caller begins


def test_a_caller_begins_where_his_line_his_extension_and_the_hour_say() -> None:
    assert start().session.node == "main"
    assert said(start()).startswith("[sound] 报修请按1")
    assert start(caller(is_internal=True)).session.node == "inside"
    assert start(NIGHT).session.node == "night"
    assert start(caller(NIGHT, is_internal=True)).session.node == "inside", (
        "an extension is answered at night"
    )
    assert start(caller(line="key_line")).session.node == "key_account"
    known = caller(line="key_line", tier="key", is_known=True, name="恒达")
    assert said(start(known)).startswith("恒达您好，通话将被录音。")


def test_a_line_nobody_knows_is_the_first_one() -> None:
    assert door(MENU, "gone", DAY) == "welcome"


# Keys


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        ("2", ("business", "enquiry")),
        ("0", ("general", "enquiry")),
        ("---", ("general", "enquiry")),
        ("-*-#", ("general", "enquiry")),
        ("92", ("business", "enquiry")),
    ],
)
def test_keys_lead_where_the_prompts_say(keys: str, where: tuple[str, str]) -> None:
    assert queued(pressed(keys)) == where


def test_zero_leads_to_a_person_at_every_question_there_is() -> None:
    for name, node in MENU.nodes.items():
        if is_question(node):
            at = begin(MENU, Session(name, 0, "zh-CN", MENU.version, 0), caller(notices=(OUTAGE,)))
            left = step(MENU, replace(at.session, node=name), Heard("0", has_ended=True), DAY)
            assert queued(left) == ("general", "enquiry"), name


def test_silence_and_wrong_keys_are_limited_and_star_is_neither() -> None:
    assert [pressed("-" * tries).session.tries for tries in (1, 2)] == [1, 2]
    at = pressed("--*")
    assert (at.session.tries, at.session.step) == (2, 3)
    assert said(pressed("#")).startswith("没有这个选项。 报修请按1"), (
        "there is no way back from the first menu"
    )


def test_the_back_key_goes_back_where_the_node_names_a_way() -> None:
    node = MENU.nodes["care"].model_copy(update={"back": "main"})
    menu = MENU.model_copy(update={"nodes": {**MENU.nodes, "care": node}})
    at = begin(menu, Session("care", 0, "zh-CN", MENU.version, 0), DAY)
    assert step(menu, at.session, Heard("#"), DAY).session.node == "main"
    kept_apart = Heard(has_ended=True)
    assert step(menu, at.session, kept_apart, DAY).session.node == "main", "some providers tell it so"


def test_whoever_does_not_wish_to_be_recorded_says_so_with_one_key_at_any_question() -> None:
    for node in ("main", "inside", "account"):
        at = step(MENU, begin(MENU, Session(node, 1, "zh-CN", "v", 0), DAY).session, Heard("8"), DAY)
        assert at.refuses_recording
        assert said(at).startswith("不录音。")
        assert (at.session.node, at.session.tries) == (node, 0)
    assert not pressed("2").refuses_recording


def test_a_refusal_to_be_recorded_is_written_down_wherever_the_caller_then_goes() -> None:
    """The notice that he could have joined is over, and what follows it puts him through at once."""
    news = MENU.nodes["news"].model_copy(update={"goto": "business"})
    menu = MENU.model_copy(update={"nodes": {**MENU.nodes, "news": news}})
    for pressed_key in ("8", "*", "5"):
        at = step(menu, Session("news", 1, "zh-CN", menu.version, 3), Heard(pressed_key), DAY)
        assert (at.side, at.refuses_recording) == (None, pressed_key == "8"), (
            "only a step in the menu is written"
        )
        there = Session("business", 0, "zh-CN", menu.version, 4, is_entering=True)
        assert at.session == replace(there, is_entering=False)
        assert at.verbs[-1] == Redirect(session_address(there))
        assert queued(step(menu, there, SILENCE, DAY)) == ("business", "enquiry")


def test_a_key_that_was_lost_on_its_way_is_asked_for_again_with_the_tries_used_up() -> None:
    session = Session("main", 2, "zh-CN", MENU.version, 5)
    asked = again(MENU, session, DAY)
    assert asked.session == session
    assert said(asked).startswith("报修请按1")


def test_the_language_changes_for_everything_that_follows() -> None:
    at = pressed("9")
    assert at.session.locale == "en-US"
    assert (
        said(at)
        == "Repairs 1, business 2, progress 3, report 4, notices 6, duty phone 5. 普通话请按7。 粤语请按7再按7。"
    )
    assert [each.locale for each in prompts(at) if isinstance(each, Say)] == ["en-US", "zh-CN", "yue-HK"]


def test_cantonese_reads_the_chinese_texts_in_its_own_voice() -> None:
    at = pressed("7")
    first = prompts(at)[0]
    assert first == Say("报修请按1，业务请按2，进度请按3，举报请按4，公告请按6，值班请按5。", "yue-HK")
    listening = gather(at).listening
    assert listening is not None
    assert listening.language == "yue-Hant-HK"
    assert "报修" in listening.hints


def test_a_queue_out_of_hours_takes_a_message() -> None:
    at = pressed("2", NIGHT)
    assert at.side == Messaging(Queueing("business", "enquiry", is_open=False), 120_000)
    assert said(at) == "请留言。"


# Words


@pytest.mark.parametrize(
    ("said_words", "node"),
    [
        ("我要报修", "account"),
        ("停电", "account"),
        ("停电信息", "business"),
        ("查一下进度。", "case_number"),
    ],
)
def test_a_spoken_word_chooses_and_the_longest_one_counts(said_words: str, node: str) -> None:
    at = step(MENU, pressed("").session, Heard(speech=said_words, confidence=0.9), DAY)
    assert at.session.node == node


@pytest.mark.parametrize("confidence", [0.59, 0.0, None])
def test_what_we_are_not_sure_of_is_asked_back(confidence: float | None) -> None:
    at = hear(pressed(""), Heard(speech="我要报修", confidence=confidence))
    assert said(at) == "您要的是报修，对吗？"
    assert (at.session.node, at.session.unsure) == ("main", 1)
    assert dict(gather(at).action.query)["c"] == "1"
    listening = gather(at).listening
    assert listening is not None
    assert listening.hints == ("是", "对", "不是", "不对", "不")
    assert hear(at, Heard("1")).session.node == "account"
    assert hear(at, Heard(speech="对的")).session.node == "account"
    for no in (Heard("2"), Heard(speech="不是"), Heard(speech="不对"), Heard("#")):
        asked = hear(at, no)
        assert (asked.session.node, asked.session.unsure, asked.session.tries) == ("main", 0, 1)
        assert said(asked).startswith("报修请按1")
    assert said(hear(at, Heard("*"))) == "您要的是报修，对吗？"
    assert queued(hear(at, Heard("0"))) == ("general", "enquiry")
    unclear = hear(at, Heard(speech="嗯"))
    assert said(unclear) == "没有听懂。 您要的是报修，对吗？"
    assert queued(hear(hear(unclear, SILENCE), SILENCE)) == ("general", "enquiry")


def test_a_key_that_is_an_option_and_neither_yes_nor_no_takes_that_option_while_we_ask_back() -> None:
    at = hear(pressed(""), Heard(speech="我要报修", confidence=0.3))
    assert hear(at, Heard("3")).session.node == "case_number"
    assert hear(at, Heard("9")).session.locale == "en-US"


def test_yes_and_no_are_the_keys_that_the_site_says() -> None:
    keys = MENU.keys.model_copy(update={"yes": "2", "no": "3"})
    menu = MENU.model_copy(update={"keys": keys})
    place = hear(pressed(""), Heard(speech="进度", confidence=0.3)).session
    led = {key: step(menu, place, Heard(key), DAY).session for key in "123"}
    assert led["1"].node == "account", "the option of that key, as at every other time"
    assert led["2"].node == "case_number", "yes"
    assert (led["3"].node, led["3"].unsure) == ("main", 0), "no"


def test_endless_doubt_leads_to_a_person() -> None:
    at = pressed("")
    for _ in range(3):
        at = hear(at, Heard(speech="报修", confidence=0.1))
        if at.side is None and at.session.unsure:
            at = hear(at, Heard("2"))
    assert queued(at) == ("general", "enquiry")


def test_words_that_mean_nothing_or_two_things_are_not_understood() -> None:
    for words in ("天气很好", "报修进度"):
        at = hear(pressed(""), Heard(speech=words, confidence=0.99))
        assert said(at).startswith("没有听懂。 报修请按1")
        assert at.session.tries == 1


def test_english_words_are_whole_words_and_a_language_without_a_recogniser_has_keys_only() -> None:
    at = pressed("9")
    assert gather(at).listening is None
    for words, node in (("Repair, please!", "account"), ("power-cut", "account"), ("repairman", "main")):
        assert step(MENU, at.session, Heard(speech=words, confidence=1), DAY).session.node == node


def test_what_was_heard_shows_in_no_representation() -> None:
    heard = Heard("4711", "户号四七一一")
    assert "4711" not in repr(heard)
    assert "户号" not in repr(heard)
    assert "4711" not in repr(Account("4711")) + repr(Given("x", "4711")) + str(Needed(Account("4711")))


# Numbers


def test_an_account_number_is_looked_up_and_not_found_is_told() -> None:
    at = pressed("1")
    assert said(at) == "请输入户号，按井号键结束。"
    assert (gather(at).end_key, gather(at).listening) == ("#", None)
    number = Heard("471100", has_ended=True)
    assert need(at, number) == Account("471100")
    found = replace(caller(is_known=True, tier="key"), answer="ok", errands=1)
    assert hear(at, number, found).session.node == "meter"
    unknown = replace(DAY, answer="unknown", errands=1)
    asked = hear(at, number, unknown)
    assert (said(asked), asked.session.tries) == ("没有这个户号。 请输入户号，按井号键结束。", 1)
    assert hear(hear(asked, number, unknown), number, unknown).session.node == "meter", "he goes on unknown"


def test_a_caller_we_know_is_not_asked_who_he_is() -> None:
    assert pressed("1", caller(is_known=True)).session.node == "meter"


def test_pound_alone_goes_on_and_other_numbers_are_kept() -> None:
    at = pressed("1")
    empty = Heard(has_ended=True)
    assert hear(at, empty).session.node == "meter"
    meter = start(node="meter")
    assert need(meter, Heard("12345", has_ended=True)) == Given("meter_reading", "12345")
    kept = replace(DAY, answer="ok", errands=1)
    assert queued(hear(meter, Heard("12345"), kept)) == ("repair", "repair")
    assert queued(hear(meter, empty)) == ("repair", "repair")
    number = start(node="case_number")
    assert hear(number, empty).session.tries == 1, "a number is needed here"


def test_a_number_too_short_or_too_long_is_not_looked_up() -> None:
    at = pressed("1")
    for digits in ("471", "12345678901", "47*1"):
        asked = hear(at, Heard(digits, has_ended=True))
        assert (said(asked), asked.session.tries) == ("没有听懂。 请输入户号，按井号键结束。", 1)


def test_the_keys_that_work_everywhere_work_alone_in_a_collect() -> None:
    at = pressed("1")
    assert queued(hear(at, Heard("0", has_ended=True))) == ("general", "enquiry")
    assert said(hear(at, Heard("*"))) == said(at)
    assert hear(at, Heard("8", has_ended=True)).refuses_recording
    meter = start(node="meter")
    assert need(meter, Heard("8", has_ended=True)) == Given("meter_reading", "8"), (
        "one digit may be the number"
    )


def test_silence_at_a_number_goes_on_where_the_node_says() -> None:
    assert pressed("1---").session.node == "meter"
    assert queued(pressed("--", node="meter")) == ("repair", "repair")
    assert queued(pressed("---", node="case_number")) == ("general", "enquiry")


# Cases


def asked_case(case: CaseFacts) -> Step:
    """The caller comes to the case node with number and code kept."""
    there = Session("progress", 0, "zh-CN", MENU.version, 3, is_entering=True)
    return step(MENU, there, SILENCE, replace(DAY, case=case, errands=1))


def test_a_case_is_asked_about_at_a_webhook_of_its_own() -> None:
    code = start(node="case_code")
    kept = step(MENU, code.session, Heard("123456", has_ended=True), replace(DAY, answer="ok", errands=1))
    there = replace(kept.session, is_entering=True)
    assert kept.verbs == (Redirect(session_address(there)),)
    assert there.node == "progress"
    assert need(replace(kept, session=there), SILENCE) == CaseState()


def test_a_case_is_told_digit_by_digit_with_its_answer() -> None:
    case = CaseFacts("ok", "taken", "退款1,250.50元，请于11-30前到账，电话95598。", "T000042")
    assert said(asked_case(case)).startswith(
        "编号T 0 0 0 0 4 2：处理中。退款1 2 5 0 点 5 0元，请于11-30前到账，电话9 5 5 9 8。 报修请按1"
    )


def test_a_case_is_told_without_asking_who_calls() -> None:
    there = Session("progress", 0, "zh-CN", MENU.version, 3, is_entering=True)
    nobody = replace(DAY, caller=None, case=CaseFacts("ok", "open", "", "T000042"), errands=1)
    assert said(step(MENU, there, SILENCE, nobody)).startswith("编号T 0 0 0 0 4 2：已受理。")


def test_a_wrong_code_asks_again_and_no_more_tries_lead_to_a_person() -> None:
    for word in ("wrong", "unknown"):
        at = asked_case(CaseFacts(word))
        assert (at.session.node, said(at)) == ("case_number", "编号或查询码不对。 请输入编号。")
    away = asked_case(CaseFacts("locked"))
    assert away.session.node == "agent", (
        "the queue is entered at the next webhook: this one has cost two scripts"
    )
    assert queued(arrive(away)) == ("general", "enquiry")


# Notices


def test_running_notices_are_heard_first_and_their_numbers_digit_by_digit() -> None:
    at = start(caller(notices=(OUTAGE, CHATTER)))
    assert said(at) == (
        "[sound] 通知：城东停电，工单T 0 0 0 0 4 2，电话9 5 5 9 8。 通知：周日检修。 受影响请按1。"
    )
    assert at.session.node == "news"
    assert said(start(caller(notices=(CHATTER,)))).startswith("[sound] 通知：周日检修。 报修请按1")
    assert said(start()) == said(start(caller(notices=()))), "silence where there is none"


def test_key_one_attaches_the_call_and_anything_else_goes_on() -> None:
    hit = caller(notices=(CHATTER, OUTAGE))
    at = start(hit)
    assert need(at, Heard("1"), hit) == Joining("T000042")
    joined = replace(caller(hit, ticket_no="T000042"), answer="ok", errands=1)
    assert said(hear(at, Heard("1"), joined)).startswith("已登记，编号T 0 0 0 0 4 2。")
    for heard in (SILENCE, Heard("#")):
        assert said(hear(at, heard, hit)).startswith("报修请按1")
    assert said(hear(at, Heard("5"), hit)) == "没有这个选项。 受影响请按1。"
    assert hear(at, Heard("8"), hit).refuses_recording


def test_whoever_has_joined_is_not_asked_again_and_a_notice_that_is_over_is_not_joined() -> None:
    assert start(caller(notices=(OUTAGE,), ticket_no="T000042")).session.node == "main"
    at = start(caller(notices=(OUTAGE,)))
    assert hear(at, Heard("1"), DAY).session.node == "main"


def test_notices_that_are_asked_for_tell_that_there_is_none() -> None:
    assert said(pressed("6")).startswith("没有公告。 报修请按1")
    assert said(pressed("6", caller(area="east", notices=(CHATTER,)))).startswith("城东：周日检修。")


def test_a_notice_without_the_callers_language_is_heard_in_the_one_it_reads() -> None:
    at = hear(start(node="cantonese"), Heard("6"), caller(notices=(CHATTER,)))
    assert said(at).startswith("：周日检修。")


# Who is known


def test_names_are_spoken_where_they_are_known_and_a_polite_word_otherwise() -> None:
    key = caller(tier="key", is_known=True, name="恒达", has_manager=True, manager_name="王磊")
    assert said(start(key)).startswith("[sound] 恒达您好，您的客户经理是王磊。")
    assert said(start(caller(tier="key", has_manager=True))).startswith("[sound] 客户您好")
    assert start(caller(is_care=True)).session.node == "care"


def test_the_caller_is_looked_up_only_where_the_menu_asks_who_he_is() -> None:
    nobody = replace(DAY, caller=None)
    session = pressed("").session
    assert step(MENU, session, Heard("2"), nobody) == step(MENU, session, Heard("2"), DAY)
    assert need(pressed(""), Heard("1"), nobody) == WhoCalls()


# Sounds


def test_a_recorded_prompt_is_played_with_its_words_beside_it() -> None:
    sound = prompts(start())[0]
    assert isinstance(sound, Play)
    assert sound.spoken == Say("您好，通话将被录音，不同意请按8。", "zh-CN")
    name = dict(sound.sound.path)["name"]
    assert name == f"{MENU.sounds['welcome.zh.wav']}.wav"
    cantonese = begin(MENU, Session("welcome", 0, "yue-HK", MENU.version, 0), DAY)
    assert prompts(cantonese)[0] == Say("您好，通话将被录音，不同意请按8。", "yue-HK"), (
        "a Mandarin file is not Cantonese"
    )


# Out of the menu


def test_a_transfer_and_an_anonymous_message_have_webhooks_of_their_own() -> None:
    for key, node in (("5", "duty"), ("4", "anonymous")):
        sent = step(MENU, pressed("").session, Heard(key), DAY)
        assert (sent.session.node, len(sent.verbs), sent.side) == (node, 1, None)
    assert pressed("5").side == Transferring("+8657188889999", 20_000)
    assert pressed("4").side == Messaging(
        Queueing("general", "report", is_open=False), 300_000, is_anonymous=True
    )
    assert said(pressed("5")) == "正在接通值班电话。"


def test_what_follows_a_message_are_its_number_and_code() -> None:
    at = start(caller(ticket_no="T000007", access_code="301942"), node="receipt")
    assert said(at) == "编号T 0 0 0 0 0 7，查询码3 0 1 9 4 2。 再见。"
    assert at.side == Leaving(None)


def test_a_session_of_words_that_are_gone_still_leads_to_a_person() -> None:
    assert queued(step(MENU, Session("no_such_node", 0, "zh-CN", "old", 3), Heard("5"), DAY)) == (
        "general",
        "enquiry",
    )


def test_numbers_are_spelled_and_dates_are_not() -> None:
    assert spelled("T000042") == "T 0 0 0 0 4 2"
    assert spelled_in("Refund of 120 yuan on 2026-11-22 at 14:30, ref 100200.", "en-US") == (
        "Refund of 1 2 0 yuan on 2026-11-22 at 14:30, ref 1 0 0 2 0 0."
    )
    assert spelled_in("3天内，共25户", "zh-CN") == "3天内，共25户"


# Every path


HEARD = [
    *map(Heard, KEYS),
    Heard("4711", has_ended=True),
    Heard(has_ended=True),
    Heard(speech="报修", confidence=0.9),
    Heard(speech="进度", confidence=0.2),
    Heard(speech="不是"),
    Heard(speech="天气"),
]


def answers(facts: Facts, needed: object) -> Iterator[Facts]:
    """Everything the switchboard may say to an errand."""
    more = replace(facts, errands=facts.errands + 1)
    if isinstance(needed, CaseState):
        yield from (
            replace(more, case=CaseFacts(word, "open")) for word in ("ok", "wrong", "unknown", "locked")
        )
    elif isinstance(needed, Account):
        yield replace(caller(more, is_known=True), answer="ok")
        yield replace(more, answer="unknown")
    else:
        yield replace(more, answer="ok")


def all_steps(session: Session, heard: Heard, facts: Facts) -> Iterator[Step]:
    try:
        yield step(MENU, session, heard, facts)
    except Needed as needed:
        assert facts.errands < 2, "no webhook costs more than two scripts"
        for known in answers(facts, needed.need):
            yield from all_steps(session, heard, known)


def test_every_path_ends_with_a_person_a_message_a_number_outside_or_a_goodbye() -> None:
    """Every session that can be reached, its step number aside: everything that can be heard at each of them."""
    worlds = [
        DAY,
        NIGHT,
        caller(line="key_line"),
        caller(line="key_line", tier="key", is_known=True),
        caller(notices=(OUTAGE,)),
        caller(is_internal=True),
        caller(is_care=True),
    ]
    seen: set[tuple[object, ...]] = set()
    ends: set[str] = set()
    waiting = [(start(facts), facts) for facts in worlds]
    while waiting:
        at, facts = waiting.pop()
        if at.side is not None:
            ends.add(at.session.node)
            continue
        is_sent = not any(isinstance(verb, Gather) for verb in at.verbs)
        session = replace(at.session, is_entering=is_sent, step=0)
        if (session, id(facts)) in seen:
            continue
        seen.add((session, id(facts)))
        assert is_sent or is_question(MENU.nodes[session.node])
        for heard in HEARD if not is_sent else [SILENCE]:
            waiting.extend((each, facts) for each in all_steps(session, heard, facts))
    assert ends == {"repair", "business", "agent", "anonymous", "leave_message", "duty"}


@given(
    st.lists(st.sampled_from(HEARD), max_size=80), st.sampled_from([DAY, NIGHT, caller(notices=(OUTAGE,))])
)
def test_nobody_stays_in_the_menu_for_ever(heard: list[Heard], facts: Facts) -> None:
    known = replace(facts, answer="unknown", case=CaseFacts("wrong"))
    at = start(facts)
    for each in [*heard, *[SILENCE] * 30]:
        if at.side is not None:
            break
        at = arrive(step(MENU, at.session, each, known), known)
    assert isinstance(at.side, Queueing | Messaging | Transferring)


@given(st.lists(st.sampled_from(["*", "8", "#"]), min_size=60, max_size=80))
def test_keys_that_lead_nowhere_lead_to_a_person_in_the_end(keys: list[str]) -> None:
    at = start()
    for key in keys:
        if at.side is not None:
            break
        at = step(MENU, at.session, Heard(key), DAY)
    assert queued(at) == ("general", "enquiry")
