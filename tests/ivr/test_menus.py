"""A menu that would lose a caller is not loaded, and its writer is told where and why."""

from pathlib import Path

import pytest

from ivr.domain.menus import load_menu
from queues.domain.faults import SiteFaults
from queues.domain.plan import load_plan
from tests.ivr.site import line_of, power, site

OPTION = '- {key: "0", label: {zh: 人工, en: Agent}, goto: agent}'


def faults(directory: Path, *changes: tuple[str, str, str]) -> list[str]:
    files = site(directory, *changes)
    plan = load_plan(files)
    with pytest.raises(SiteFaults) as caught:
        load_menu(files, plan)
    return [str(fault) for fault in caught.value.faults]


def node(text: str) -> tuple[str, str, str]:
    """One more node in the small menu."""
    return ("menu", "  closed:\n", f"  {text}\n  closed:\n")


def also(key: str, goto: str) -> tuple[str, str, str]:
    """One more option at the small menu's question."""
    return ("menu", OPTION, f'{OPTION}\n      - {{key: "{key}", label: {{zh: 又, en: More}}, goto: {goto}}}')


def test_the_small_menu_is_right(tmp_path: Path) -> None:
    files = site(tmp_path)
    menu = load_menu(files, load_plan(files))
    assert (menu.entries, menu.closed) == ({"main": "welcome"}, {"general": "closed"})


def test_the_power_menu_has_the_keys_it_speaks_of() -> None:
    _, menu = power()
    root = menu.nodes["main_menu"]
    assert root.type == "gather"
    assert {option.key: option.goto for option in root.options} == {
        "1": "safety_advice",
        "2": "billing",
        "3": "connection",
        "4": "news_menu",
        "5": "complaint_menu",
        "6": "key_check",
        "7": "set_mandarin",
        "9": "set_english",
        "0": "agent",
    }
    for option in root.options:
        spoken = {**root.prompt, "zh": root.prompt["zh"] + str(root.in_other_languages)}
        assert option.key in spoken["zh"], f"key {option.key} is never spoken"


def test_an_unknown_node_is_shown_with_its_line_and_the_nearest_right_one(tmp_path: Path) -> None:
    found = faults(tmp_path, ("menu", "goto: root", "goto: rot"))
    line = line_of("menu", "goto: root")
    assert found == [
        f"menu.yaml:{line} nodes.welcome.goto: there is no node named 'rot'; did you mean 'root'?"
    ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ([("menu", "type: say", "type: speak")], "no kind of node named 'speak'"),
        (
            [("menu", "prompt: {zh: 您好将录音, en: Hello this is recorded}", "prompt: {zh: 您好将录音}")],
            "missing in en",
        ),
        (
            [("menu", "matter: enquiry", "matter: enquery")],
            "no matter named 'enquery'; did you mean 'enquiry'?",
        ),
        ([("menu", "queue: general", "queue: genral")], "no queue named 'genral'; did you mean 'general'?"),
        ([("menu", "人工按0", "'{orgg}人工按0'")], "no placeholder named 'orgg'; did you mean 'org'?"),
        ([also("0", "closed")], "key 0 is used twice in this question"),
        ([also("*", "closed")], "key * means 'repeat' at every question"),
        ([also("10", "closed")], "'10' is not a key of a telephone"),
        ([node("alone: {type: hangup, prompt: {zh: 再见, en: Bye}}")], "no caller ever gets to this node"),
        (
            [
                also("1", "again"),
                node("again: {type: say, prompt: {zh: 再, en: Again}, goto: more}"),
                node("more: {type: say, prompt: {zh: 再, en: More}, goto: again}"),
            ],
            "a caller who presses nothing goes round in circles: again > more > again",
        ),
        (
            [("menu", "exhausted: agent", "exhausted: root")],
            "a caller who presses nothing goes round in circles",
        ),
        (
            [
                ("menu", "exhausted: agent", "exhausted: bye"),
                node("bye: {type: hangup, prompt: {zh: 再见, en: Bye}}"),
            ],
            "silence ends in a hang-up: root > bye; it must lead to a person",
        ),
        (
            [("menu", "exhausted: agent", "exhausted: closed")],
            "exhausted: 'closed' leads to no person, but key 0 and silence must, at every question",
        ),
        (
            [("menu", "    notice: true\n", "")],
            "callers can get here without having heard a recording notice",
        ),
        (
            [("queues", "wait: {zh: 请稍候", "wait: {zh: '编号{ticket_no}'")],
            "does not open a ticket at entry",
        ),
        ([("queues", "wait: {zh: 请稍候", "wait: {zh: '编号{ticket}'")], "no placeholder named 'ticket'"),
        (
            [("site", "entry: welcome", "entry: welcom")],
            "site.yaml:9 lines.main.entry: there is no node named",
        ),
        (
            [("queues", "closed: closed", "closed: shut")],
            "queues.general.closed: there is no node named 'shut'",
        ),
        ([("menu", "  goodbye: {zh: goodbye, en: goodbye}\n", "")], "'goodbye' is missing"),
    ],
)
def test_a_fault_is_told_in_words(tmp_path: Path, changes: list[tuple[str, str, str]], told: str) -> None:
    found = faults(tmp_path, *_joined(changes))
    assert any(told in fault for fault in found), found
    assert all(":" in fault and fault.partition(":")[0].endswith(".yaml") for fault in found)


def _joined(changes: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """Two new nodes are one change, since each finds the same place."""
    nodes = [change for change in changes if change[1] == "  closed:\n"]
    others = [change for change in changes if change not in nodes]
    text = "".join(change[2].removesuffix("  closed:\n") for change in nodes)
    return [*others, ("menu", "  closed:\n", f"{text}  closed:\n")] if nodes else others
