"""A menu that would lose a caller is not loaded, and its writer is told where and why."""

from pathlib import Path

import pytest

from ivr.domain.menus import load_menu
from ivr.domain.nodes import KINDS, CollectNode, TransferNode
from queues.domain.faults import SiteFaults
from queues.domain.plan import load_plan
from tests.ivr.site import all_kinds, all_kinds_with, line_of, site

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


def test_every_kind_of_node_is_read() -> None:
    _, menu = all_kinds()
    kinds = {node.type for node in menu.nodes.values()}
    assert kinds == set(KINDS)
    account, duty = menu.nodes["account"], menu.nodes["duty"]
    assert isinstance(account, CollectNode)
    assert (account.digits.min, account.digits.max, account.on_empty) == (4, 10, "meter")
    assert isinstance(duty, TransferNode)
    assert (duty.to, duty.ring_ms) == ("+8657188889999", 20_000)
    assert menu.hears == {"zh-CN": "cmn-Hans-CN", "yue-HK": "yue-Hant-HK"}


DUTY_AWAY = "duty_away: {type: say, prompt: {zh: 值班电话无人接听。, en: Nobody answered.}, goto: main}"
RECEIPT = '{zh: "编号{ticket_no}，查询码{access_code}。", en: "Number {ticket_no}, code {access_code}."}'
CASE_WRONG = "编号或查询码不对。, en: Wrong number or code.}, goto: case_number}"
PROGRESS = "words: {zh: [进度], en: [progress]}, goto: case_number}"
LONG = "很长的话。" * 120


@pytest.mark.parametrize(
    ("change", "told"),
    [
        # texts
        (
            ("menu", "{zh: 正在转接。, en: Connecting.}", f"{{zh: {LONG}, en: Connecting.}}"),
            "nodes.repair.prompt: this text is too long to be spoken at once (600 characters",
        ),
        (
            ("menu", '"通知：{notice}"', '"通知：{notcie}"'),
            "there is no placeholder named 'notcie'; did you mean 'notice'?",
        ),
        (
            ("menu", "再见。, en: Goodbye.}}", '"{notice}", en: Goodbye.}}'),
            "nodes.bye.prompt: there is no placeholder named 'notice'",
        ),
        (
            ("menu", "没有公告。", '"{label}没有公告。"'),
            "nodes.all_news.none: there is no placeholder named 'label'",
        ),
        (
            ("menu", '"您要的是{label}，对吗？"', '"您要的是{lable}？"'),
            "phrases.sure_of: there is no placeholder named 'lable'; did you mean 'label'?",
        ),
        (
            ("menu", "正在接通值班电话。", '"编号{ticket_no}"'),
            "nodes.duty.prompt: there is no placeholder named 'ticket_no'",
        ),
        (
            ("menu", "请在提示音后举报。", '"{customer_name}请举报。"'),
            "nodes.anonymous.prompt: there is no placeholder named 'customer_name'",
        ),
        (
            ("menu", "值班电话无人接听。", '"编号{ticket_no}"'),
            "nodes.duty_away.prompt: there is no ticket yet when callers come this way: ",
        ),
        (
            ("menu", '"已登记，编号{ticket_no}。"', '"查询码{access_code}"'),
            "nodes.joined.prompt: there is no access code when callers come this way: ",
        ),
        (
            ("menu", "关怀专线，请稍候。", '"{manager_name}请稍候。"'),
            "nodes.care.prompt: the manager is not known when callers come this way: ",
        ),
        (
            ("menu", "      yue: 粤语请按7再按7。", "      fr: Bonjour"),
            "nodes.main.in_other_languages: 'fr' is not a language of this site",
        ),
        # keys and words
        (
            ("menu", '{key: "5", label: {zh: 值班', '{key: "4", label: {zh: 值班'),
            "key 4 is used twice in this question",
        ),
        (
            ("menu", '{key: "5", label: {zh: 值班', '{key: "8", label: {zh: 值班'),
            "key 8 means 'do_not_record' at every question",
        ),
        (
            ("menu", "{zh: 人工, en: A person}, goto: agent}", "{zh: 人工, en: A person}, goto: inside}"),
            "key 0 means a person at every question, but 'inside' leads to none",
        ),
        (("menu", 'person: "0"', 'person: "8"'), "keys: two of these keys are the same"),
        (("menu", 'person: "0"}', 'person: "0", yes: "2"}'), "keys: key 2 is both 'yes' and 'no'"),
        (
            ("menu", 'person: "0"}', 'person: "0", yes: "8"}'),
            "keys: key 8 is 'yes', and means something else at every question",
        ),
        (
            ("menu", 'person: "0"}', 'person: "0", no: "0"}'),
            "keys: key 0 is 'no', and means something else at every question",
        ),
        (
            ("menu", "{zh: [进度], en: [progress]}", "{zh: [进度], en: [Power-Cut]}"),
            "nodes.main.options.2.words: 'Power-Cut' is also a word of key 1: nobody can tell which is meant",
        ),
        (
            ("menu", "{zh: [进度], en: [progress]}", "{fr: [progrès]}"),
            "nodes.main.options.2.words: 'fr' is not a language of this site",
        ),
        (
            ("menu", '  sure_of: {zh: "您要的是{label}，对吗？", en: "{label}, is that right?"}\n', ""),
            "phrases: 'sure_of' is missing: a word of 'main' that we are not sure of is asked back",
        ),
        (
            ("menu", "  not_found: {zh: 没有这个户号。, en: No such account.}\n", ""),
            "phrases: 'not_found' is missing: it is said when 'account' finds no customer",
        ),
        (
            ("menu", "exhausted: agent\nlisten: 6s", "exhausted: agent\nlisten: 0s"),
            "listen: nobody can answer in less than a second",
        ),
        # sounds and numbers
        (
            ("menu", "zh: welcome.zh.wav", "zh: welcome.zh.ogg"),
            "nodes.welcome.audio: 'welcome.zh.ogg' is not a sound we can play; give a .wav or .mp3 file",
        ),
        (
            ("menu", "zh: welcome.zh.wav", "zh: welcom.zh.wav"),
            "nodes.welcome.audio.zh: there is no file audio/welcom.zh.wav in this site; did you mean 'welcome.zh.wav'?",
        ),
        (
            ("menu", "zh: welcome.zh.wav", "zh: ../welcome.zh.wav"),
            "must be the name of a file in the folder audio",
        ),
        (
            ("menu", '"+8657188889999"', '"0571-88889999"'),
            "nodes.duty.to: '0571-88889999' is not a number in international form such as +8657112345678",
        ),
        (
            ("menu", "digits: {min: 1, max: 6}", "digits: {min: 7, max: 6}"),
            "nodes.meter.digits: min 7 is more than max 6",
        ),
        # names
        (
            ("menu", "unanswered: duty_away", "unanswered: duty_gone"),
            "nodes.duty.unanswered: there is no node named 'duty_gone'; did you mean 'duty'?",
        ),
        (
            ("menu", "empty: repair", "empty: repiar"),
            "nodes.meter.empty: there is no node named 'repiar'; did you mean 'repair'?",
        ),
        (
            ("menu", "{care: true, goto: care}", "{area: [easst], goto: care}"),
            "nodes.first.cases.0.area: there is no area named 'easst'; did you mean 'east'?",
        ),
        (
            ("menu", "{care: true, goto: care}", "{goto: care}"),
            "nodes.first.cases.0: this case asks nothing; put its goto under else",
        ),
        (
            ("menu", "{care: true, goto: care}", "{line: [maine], goto: care}"),
            "there is no line named 'maine'; did you mean 'main'?",
        ),
        (
            ("menu", "{care: true, goto: care}", "{calendar: offices, goto: care}"),
            "there is no calendar named 'offices'; did you mean 'office'?",
        ),
        (
            ("site", "internal: inside", "internal: insite"),
            "lines.main.internal: there is no node named 'insite'; did you mean 'inside'?",
        ),
        (
            (
                "menu",
                "    queue: general\n    matter: enquiry\n    prompt: {zh: 请留言。",
                "    matter: enquiry\n    prompt: {zh: 请留言。",
            ),
            "nodes.leave_message: give queue and matter together, or neither",
        ),
        # ways
        (
            ("menu", CASE_WRONG, CASE_WRONG.replace("case_number", "progress")),
            "nodes.progress: a caller who presses nothing goes round in circles: progress > case_wrong > progress",
        ),
        (
            ("menu", DUTY_AWAY, DUTY_AWAY.replace("goto: main", "goto: duty")),
            "goes round in circles: duty > duty_away > duty",
        ),
        (
            ("menu", "    goto: first\n\n  joined:", "    goto: news\n\n  joined:"),
            "goes round in circles: news > news",
        ),
        (
            ("menu", "    unknown: repair\n", "    unknown: account\n"),
            "goes round in circles: account > meter > account",
        ),
        (
            ("menu", "    exhausted: agent\n    goto: main", "    exhausted: bye\n    goto: main"),
            "nodes.progress: failure ends in a hang-up: progress > bye; it must lead to a person",
        ),
        (
            ("menu", "    unknown: repair\n", "    unknown: bye\n"),
            "nodes.meter: silence ends in a hang-up: meter > bye",
        ),
        (
            ("menu", "unanswered: duty_away", "unanswered: bye"),
            "nodes.duty: failure ends in a hang-up: duty > bye",
        ),
        (
            ("menu", "exhausted: agent\nlisten", "exhausted: leave_message\nlisten"),
            "exhausted: 'leave_message' leads to no person",
        ),
        (
            ("menu", "    goto: news\n\n  inside", "    goto: account\n\n  inside"),
            "after this notice key 8 (do not record) cannot be pressed: welcome > account; a question must come first",
        ),
        (
            ("menu", "    goto: news\n\n  inside", "    goto: agent\n\n  inside"),
            "nodes.welcome: after this notice key 8 (do not record) cannot be pressed: welcome > agent",
        ),
        (
            ("menu", "  inside:\n    type: gather\n    notice: true\n", "  inside:\n    type: gather\n"),
            "nodes.business: callers can get here without having heard a recording notice: inside > business",
        ),
        # messages and cases
        (
            ("menu", "    goto: receipt\n", "    goto: main\n"),
            "nodes.anonymous.goto: after a message only say and hangup can follow, but anonymous > main does",
        ),
        (
            ("menu", "    goto: receipt\n", ""),
            "the ticket of 'report' has an access code; tell it in a say or hangup behind the message",
        ),
        (
            ("menu", RECEIPT, "{zh: 谢谢。, en: Thanks.}"),
            "the ticket of 'report' has an access code; tell it",
        ),
        (
            ("queues", "举报, en: Report}, ticket: report, ticket_on: entry}", "举报, en: Report}}"),
            "'report' opens no ticket, so nobody would ever hear an anonymous message",
        ),
        (
            ("menu", PROGRESS, PROGRESS.replace("case_number", "progress")),
            "nodes.progress: callers can get here without a collect into 'case_no': ",
        ),
        (
            ("menu", "    goto: case_code\n", "    goto: progress\n"),
            "nodes.progress: callers can get here without a collect into 'access_code': ",
        ),
        (
            ("queues", 'zh: "编号{ticket_no}"', 'zh: "查询码{access_code}"'),
            "the wait prompt of 'repair' speaks an access code, but the ticket of 'repair' has none",
        ),
    ],
)
def test_a_fault_of_any_kind_of_node_is_told_with_its_place(
    tmp_path: Path, change: tuple[str, str, str], told: str
) -> None:
    files = all_kinds_with(tmp_path, change)
    with pytest.raises(SiteFaults) as caught:
        load_menu(files, load_plan(files))
    found = [str(fault) for fault in caught.value.faults]
    assert any(told in fault for fault in found), found
    assert all(fault.partition(":")[0].endswith(".yaml") for fault in found)
    assert all(fault.partition(":")[2].partition(" ")[0].isdigit() for fault in found), found


def test_a_circle_is_told_once(tmp_path: Path) -> None:
    files = all_kinds_with(tmp_path, ("menu", CASE_WRONG, CASE_WRONG.replace("case_number", "progress")))
    with pytest.raises(SiteFaults) as caught:
        load_menu(files, load_plan(files))
    assert len([fault for fault in caught.value.faults if "round in circles" in fault.message]) == 1


def test_a_menu_may_have_a_polite_word_for_a_manager_nobody_knows(tmp_path: Path) -> None:
    files = all_kinds_with(
        tmp_path,
        ("menu", "关怀专线，请稍候。", '"{manager_name}请稍候。"'),
        ("menu", "phrases:\n", "phrases:\n  manager: {zh: 客户经理, en: your manager}\n"),
    )
    assert load_menu(files, load_plan(files)).phrases.manager
