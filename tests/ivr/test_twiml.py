"""Verbs become the provider's documents: every address signed by its query, every text short enough."""

import itertools
from dataclasses import replace
from urllib.parse import quote
from xml.etree import ElementTree

import pytest

from config.links import Links
from ivr.domain import verbs
from ivr.domain.documents import Documents
from ivr.domain.steps import Session, session_address
from ivr.domain.texts import CHARACTERS_MAX, ENCODED_MAX, split
from ivr.domain.verbs import address
from ivr.web.hold_tone import LENGTH_S, hold_tone
from ivr.web.twiml import Writer, fallback_document, render, writer
from queues.domain.plan import Plan
from tests.doubles import PlainRoutes
from tests.ivr.site import power

PLAN, MENU = power()
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'


@pytest.fixture
def writing() -> Writer:
    links = Links("https://hotline.example")
    links.register(PlainRoutes())
    return writer(links, PLAN.voices)


def written(writing: Writer, *document: verbs.Verb) -> str:
    return render(document, writing).removeprefix(DECLARATION)


def test_a_question_asks_for_one_key_and_brings_silence_to_the_same_place(writing: Writer) -> None:
    action = session_address(Session("main_menu", 1, "zh-CN", "abc", 4))
    gather = verbs.Gather((verbs.Say("请按1", "zh-CN"), verbs.Say("Press 9", "en-US")), action, 6)
    url = "https://hotline.example/voice_menu?n=main_menu&amp;t=1&amp;l=zh-CN&amp;v=abc&amp;s=4"
    assert written(writing, gather, verbs.Redirect(action)) == (
        f'<Response><Gather action="{url}" actionOnEmptyResult="true" finishOnKey="" input="dtmf" '
        'method="POST" numDigits="1" timeout="6">'
        '<Say language="cmn-CN" voice="Polly.Zhiyu-Neural">请按1</Say>'
        '<Say language="en-US" voice="Polly.Joanna-Neural">Press 9</Say>'
        f'</Gather><Redirect method="POST">{url}</Redirect></Response>'
    )


def test_a_number_is_gathered_up_to_its_end_key(writing: Writer) -> None:
    gather = verbs.Gather((), address("voice_menu"), 6, end_key="#")
    assert written(writing, gather) == (
        '<Response><Gather action="https://hotline.example/voice_menu" actionOnEmptyResult="true" '
        'finishOnKey="#" input="dtmf" method="POST" timeout="6" /></Response>'
    )


def test_speech_is_heard_beside_keys_in_the_callers_language(writing: Writer) -> None:
    listening = verbs.Listening("yue-Hant-HK", ("報修", "gas, leak"))
    text = written(writing, verbs.Gather((), address("voice_menu"), 6, listening=listening))
    (gather,) = ElementTree.fromstring(text)  # noqa: S314  our own
    assert {
        name: gather.attrib[name] for name in ("input", "language", "hints", "speechTimeout", "numDigits")
    } == {
        "input": "dtmf speech",
        "language": "yue-Hant-HK",
        "hints": "報修,gas  leak",
        "speechTimeout": "auto",
        "numDigits": "1",
    }


def test_a_number_outside_is_rung_for_a_time_and_leads_back(writing: Writer) -> None:
    session = Session("duty", 0, "zh-CN", "abc", 4)
    dial = Documents(PLAN, MENU).dial_out(session, "+8657188889999", 20_000)
    assert written(writing, dial) == (
        '<Response><Dial action="https://hotline.example/voice_transferred?n=duty&amp;t=0&amp;l=zh-CN&amp;v=abc'
        '&amp;s=4" method="POST" timeout="20">+8657188889999</Dial></Response>'
    )
    assert Documents(PLAN, MENU).dial_out(session, "+8657188889999", 1_000).ring_s == 5, (
        "the provider's least"
    )
    assert (
        written(writing, verbs.DialNumber("+8657195598009"))
        == "<Response><Dial>+8657195598009</Dial></Response>"
    )


def test_a_sound_that_cannot_be_had_is_spoken(writing: Writer) -> None:
    play = verbs.Play(address("voice_audio", name="ab.wav"), verbs.Say("您好", "zh-CN"))
    assert (
        written(writing, play)
        == "<Response><Play>https://hotline.example/voice_audio/ab.wav</Play></Response>"
    )
    without = replace(writing, has_sound=lambda _: False)
    assert written(without, play) == (
        '<Response><Say language="cmn-CN" voice="Polly.Zhiyu-Neural">您好</Say></Response>'
    )
    hold = verbs.Play(address("voice_hold"))
    assert "Play" in written(without, hold), "what has no words is played"


def test_both_legs_meet_in_a_conference_that_ends_with_either(writing: Writer) -> None:
    documents = Documents(PLAN, MENU)
    for document in (documents.meet("CA1-1"), documents.agent_meets("CA1-1")):
        root = ElementTree.fromstring(written(writing, *document))  # noqa: S314  our own
        conference = root.find("Dial/Conference")
        assert conference is not None
        assert (conference.text, conference.attrib) == (
            "CA1-1",
            {
                "startConferenceOnEnter": "true",
                "endConferenceOnExit": "true",
                "beep": "false",
                "waitUrl": "",
                "statusCallback": "https://hotline.example/voice_conference/CA1-1",
                "statusCallbackMethod": "POST",
                "statusCallbackEvent": "start end join leave",
            },
        )


def test_a_waiting_caller_hears_his_ticket_digit_by_digit_and_his_place_once(writing: Writer) -> None:
    documents = Documents(PLAN, MENU)
    first, later = (
        written(
            writing,
            *documents.wait(
                queue="outage", ticket_no="T000042", position=3, locale="zh-CN", round_no=round_no
            ),
        )
        for round_no in (0, 1)
    )
    assert "编号T 0 0 0 0 4 2。您排在第3位，请不要挂机。" in first
    assert first.endswith(
        '<Redirect method="POST">https://hotline.example/voice_wait?l=zh-CN&amp;n=1</Redirect></Response>'
    )
    assert "Say" not in later


def test_the_whisper_tells_tier_matter_and_waiting_in_words() -> None:
    whisper = Documents(PLAN, MENU).whisper(
        tier="key_customer", matter="power_cut", waited_ms=22_400, locale="en-US"
    )
    assert whisper.text == "VIP key account, Power cut, waited 22 seconds."


def test_nothing_to_do_is_an_empty_document_and_an_unknown_verb_an_error(writing: Writer) -> None:
    assert written(writing) == "<Response />"
    with pytest.raises(TypeError, match="no document has a str"):
        render(("hello",), writing)  # type: ignore[arg-type]


def test_a_long_text_is_split_between_sentences_and_nothing_is_lost() -> None:
    text = "".join(f"这是第{number}句话，请您耐心收听。" for number in range(200))
    pieces = split(text)
    assert "".join(pieces) == text
    assert len(pieces) > 1
    assert all(len(piece) <= CHARACTERS_MAX and len(quote(piece)) <= ENCODED_MAX for piece in pieces)
    assert all(piece.endswith("。") for piece in pieces)
    assert "".join(split("长" * 2000)) == "长" * 2000


def test_every_prompt_of_the_hotline_is_one_say() -> None:
    prompts = [getattr(node, "prompt", None) or {} for node in MENU.nodes.values()]
    prompts += [queue.wait_prompt for queue in PLAN.queues.values()]
    prompts += [words for name, words in MENU.phrases if words and name not in {"yes", "no"}]
    assert [text for words in prompts for text in words.values() if len(split(text)) != 1] == []


def test_the_safe_document_counts_and_gives_up_in_words(writing: Writer) -> None:
    again = address("voice_menu", query={"n": "main_menu"})
    documents = Documents(PLAN, MENU)
    assert written(writing, *documents.busy(again, 0, "zh-CN")).endswith(
        '<Pause length="5" /><Redirect method="POST">'
        "https://hotline.example/voice_menu?n=main_menu&amp;r=1</Redirect></Response>"
    )
    assert isinstance(documents.busy(again, 99, "zh-CN")[-1], verbs.Hangup)
    assert Documents(PLAN, MENU, "+8657195598009").busy(again, 99, "zh-CN") == (
        verbs.DialNumber("+8657195598009"),
    )
    waiting = documents.busy(address("voice_wait", query={"n": 4}), 99, "zh-CN")
    assert isinstance(waiting[-1], verbs.Redirect), "whoever is in the queue stays in it"


def test_the_providers_own_document_leads_back_to_us() -> None:
    text = fallback_document("https://hotline.example/", "+8657195598009")
    assert text.endswith(
        '<Pause length="10" /><Redirect method="POST">https://hotline.example/voice/incoming?r=1</Redirect></Response>'
    )
    assert "紧急情况请拨打 + 8 6 5 7 1" in text
    assert "紧急" not in fallback_document("https://hotline.example")


def test_the_hold_tone_is_soft_and_joins_without_a_click() -> None:
    audio = hold_tone()
    samples = [int.from_bytes(audio[at : at + 2], "little", signed=True) for at in range(44, len(audio), 2)]
    assert len(samples) == LENGTH_S * 8000
    assert 1000 < max(map(abs, samples)) < 6000
    steepest = max(abs(later - sooner) for sooner, later in itertools.pairwise(samples))
    assert abs(samples[0] - samples[-1]) <= steepest


def test_the_plan_names_a_voice_for_each_language() -> None:
    assert isinstance(PLAN, Plan)
    assert set(PLAN.voices) == set(PLAN.languages)
