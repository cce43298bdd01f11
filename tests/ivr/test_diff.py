"""What a change of a site's folder does, in words; and nothing where it does nothing."""

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ivr import cli
from ivr.check import diff
from ivr.domain.differences import FIELD_WORDS, OWN_SENTENCES
from ivr.domain.nodes import KINDS, Keys
from queues.domain.attributes import Attribute
from queues.domain.calendars import Calendar
from queues.domain.parts import Part
from queues.domain.plan import Area, Line, Matter, Named, Queue, TicketType, Tier, Timing, Voice
from tests.ivr.site import FILES

POWER = Path(__file__).parents[2] / "config" / "sites" / "power"
Change = tuple[str, str, str]
SURE = "  sure_of: {zh: '{label}？', en: '{label}?'}\n  yes: {zh: [是], en: ['yes']}\n  no: {zh: [否], en: ['no']}\n"
NEW_HOURS = "周一至周四 08:30-17:30；周六 09:00-12:00"
LEAVE = '      - {key: "1", label: {zh: 留言, en: Message}, goto: message}\n'

ANNOUNCE = "{next: {zh: 下一位, en: Next}, ahead: {zh: '{ahead}', en: '{ahead}'}}"

# One change, and what is said of it in each language; nothing else is said.
TOLD: tuple[tuple[str, tuple[Change, ...], list[str], list[str]], ...] = (
    ("a key leads elsewhere",
     (("menu", "en: Message}, goto: message}", "en: Message}, goto: agent}"),),
     ["root 中按 1 现在到 agent（原为 message）"], ["key 1 in root now leads to agent (was: message)"]),
    ("a new key",
     (("menu", "goto: agent}\n", 'goto: agent}\n      - {key: "2", label: {zh: 找人, en: People}, goto: agent}\n'),),
     ["root 中新增按键 2“找人”，到 agent"], ["key 2 in root is new: “People”, leads to agent"]),
    ("a key that is gone", (("menu", LEAVE, ""),),
     ["root 中不再有按键 1“留言”（原到 message）"], ["key 1 in root is gone: “Message”, led to message"]),
    ("a key with another name",
     (("menu", "label: {zh: 人工, en: Agent}", "label: {zh: 客服, en: Agent}"),),
     ["root 中按键 0 现在称为“客服”（原为“人工”）"],
      ["key 0 in root is now called “客服” (was: “人工”)"]),
    ("words instead of a key",
     (("menu", "en: Agent}, goto", "en: Agent}, words: {zh: [人工], en: [agent]}, goto"),),
     ["root 中代替按键 0 可以说的话现在是：zh 人工；en agent（原为：无）"],
     ["what can be said for key 0 in root is now: zh 人工; en agent (was: none)"]),
    ("a prompt", (("menu", "en: Press 0}", "en: Press nought}"),),
     ["节点 root的提示语（en）改为“Press nought”（原为“Press 0”）"],
     ["node root: prompt (en) now “Press nought” (was: “Press 0”)"]),
    ("tries of the whole menu",
     (("menu", "exhausted: agent", "exhausted: agent\ntries: 2"),),
     ["语音菜单的重试次数改为 2（原为 3）"], ["menu: number of tries now 2 (was: 3)"]),
    ("time to press a key",
     (("menu", "exhausted: agent", "exhausted: agent\nlisten: 1m30s"),),
     ["语音菜单的等待按键时间改为 1分30秒（原为 6秒）"],
      ["menu: time to press a key now 1 min 30 s (was: 6 s)"]),
    ("a key that works everywhere",
     (("menu", "exhausted: agent", 'exhausted: agent\nkeys: {do_not_record: "9"}'),),
     ["通用按键的不录音键改为 9（原为 8）"], ["keys at every question: key not to record now 9 (was: 8)"]),
    ("a phrase", (("menu", "zh: goodbye,", "zh: 再会,"),),
     ["通用提示 goodbye的提示语（zh）改为“再会”（原为“goodbye”）"],
      ["phrase goodbye: prompt (zh) now “再会” (was: “goodbye”)"]),
    ("a head start", (("customers", "head_start: 5m", "head_start: 6m"),),
     ["客户等级“大客户”（key）的提前量改为 6分（原为 5分）",
      "大客户现在可以排到比自己早来 6分 以内的居民前面（原为 5分）"],
     ["tier Key (key): head start now 6 min (was: 5 min)",
      "Key may now pass Ordinary who came up to 6 min earlier (was: 5 min)"]),
    ("no head start any more",
     (("customers", "head_start: 5m, ceiling: 3m", "ceiling: 8m"),),
     ["客户等级“大客户”（key）的提前量改为 0秒（原为 5分）",
      "客户等级“大客户”（key）的最长等待上限改为 8分（原为 3分）",
      "大客户不再排到居民前面（原为 5分）"],
     ["tier Key (key): head start now 0 s (was: 5 min)", "tier Key (key): ceiling now 8 min (was: 3 min)",
      "Key may no longer pass Ordinary (was: 5 min)"]),
    ("safety", (("queues", "ticket: enquiry}", "ticket: enquiry, safety: true}"),),
     ["事项“咨询”（enquiry）的安全优先改为 是（原为 否）", "“咨询”现在先于所有来电"],
     ["matter Enquiry (enquiry): safety now yes (was: no)", "Enquiry now goes before everybody"]),
    ("hours",
     (("calendars", "mon-fri: 08:30-17:30", "mon-thu: 08:30-17:30, sat: 09:00-12:00"),),
     [f"服务时间“工作日”（office）的每周时间改为 {NEW_HOURS}（原为 周一至周五 08:30-17:30）"],
     ["calendar Office (office): weekly hours now mon-thu 08:30-17:30; sat 09:00-12:00 (was: mon-fri 08:30-17:30)"]),
    ("a work queue", (("tickets", "work_queue: desk", "work_queue: dispatch_urgent"),),
     ["工单类型“咨询”（enquiry）的派单队列改为 dispatch_urgent（原为 desk）"],
     ["ticket type Enquiry (enquiry): work queue now dispatch_urgent (was: desk)"]),
    ("what is told to who waits",
     (("queues", "matters:\n", f"announce: {ANNOUNCE}\nmatters:\n"),),
     ["等候播报的首次播报改为 15秒（原为 无）", "等候播报的重复间隔改为 1分（原为 无）",
      "等候播报的前面人数的说法改为 “{ahead}”（原为 无）", "等候播报的下一位的说法改为 “下一位”（原为 无）"],
     ["announcement to who waits: first time after now 15 s (was: none)",
      "announcement to who waits: again every now 1 min (was: none)",
      "announcement to who waits: words for who is ahead now “{ahead}” (was: none)",
      "announcement to who waits: words for who is next now “Next” (was: none)"]),
    ("a target",
     (("queues", "matters:\n", "targets: {formula: f3, rows: [{queue: general, profile: 90/10}]}\nmatters:\n"),),
     ["目标的服务水平口径改为 f3（原为 f5）", "目标的各队列与等级的目标改为 queue general，profile 90/10（原为 无）"],
     ["target: contractual formula now f3 (was: f5)",
      "target: rows by queue and tier now queue general, profile 90/10 (was: none)"]),
    ("points of agents",
     (("queues", "matters:\n", "scores: {parts: [{figure: aht, points: 100, target: 4m, floor: 8m}]}\nmatters:\n"),),
     ["座席评分的及格分改为 60（原为 无）",
      "座席评分的评分项改为 figure aht，points 100，target 4m，floor 8m（原为 无）"],
     ["points of agents: pass mark now 60 (was: none)",
      "points of agents: judged figures now figure aht, points 100, target 4m, floor 8m (was: none)"]),
    ("a time limit",
     (("tickets", "priority: 5}", "priority: 5, due: {within: 5 workdays, calendar: office}}"),),
     ["工单类型“咨询”（enquiry）的办理时限改为 within 5个工作日，calendar office（原为 无）"],
     ["ticket type Enquiry (enquiry): time limit now within 5 workdays, calendar office (was: none)"]),
    ("who belongs to a tier",
     (("customers", "default: ordinary",
      "default: ordinary\nattributes: {kva: {name: {zh: 容量, en: Capacity}, type: number}}"),
      ("customers", "ceiling: 3m", "ceiling: 3m, rule: {attribute: kva, at_least: 3150}")),
     ["客户等级“大客户”（key）的判定条件改为 kva ≥ 3150（原为 无）", "新增客户资料项“容量”（kva）"],
     ["tier Key (key): rule for who belongs to it now kva ≥ 3150 (was: none)",
      "new customer attribute Capacity (kva)"]),
    ("a new node and a node that is gone",
     (("menu", "  message:\n", "  mail:\n"), ("menu", "goto: message}", "goto: mail}"), ("queues",
      "closed: message", "closed: mail")),
     ["新增节点 mail：语音留言，请留言", "不再有节点 message：语音留言，请留言",
      "root 中按 1 现在到 mail（原为 message）",
      "队列“综合”（general）的非服务时间的节点改为 mail（原为 message）"],
     ["new node mail: takes a message, Leave a message",
      "node message is gone: takes a message, Leave a message",
      "key 1 in root now leads to mail (was: message)",
      "queue General (general): node out of hours now mail (was: message)"]),
    ("another kind of node",
     (("menu", "  message:\n    type: voicemail", "  message:\n    type: hangup"),),
     ["message 现在是“道别挂机”（原为“语音留言”）"],
      ["message now says goodbye (before: takes a message)"]),
)  # fmt: skip
QUIET: tuple[tuple[str, tuple[Change, ...]], ...] = (
    ("comments", (("menu", "nodes:\n", "# What callers hear.\nnodes:   # here\n"),)),
    ("the order of names", (("tickets", "work_queue: desk, priority: 5", "priority: 5, work_queue: desk"),)),
    ("how a text is written", (("menu", "en: Press 0}", 'en: "Press   0"}'),)),
    ("how a time is written", (("customers", "head_start: 5m", "head_start: 300s"),)),
    ("what is so anyhow", (("menu", "exhausted: agent", "exhausted: agent\ntries: 3"),)),
)


def folders(tmp_path: Path, changes: tuple[Change, ...]) -> tuple[Path, Path]:
    before, after = tmp_path / "before", tmp_path / "after"
    for folder in (before, after):
        folder.mkdir()
        for name, text in FILES.items():
            # "closed" is the word for a calendar as well; here nodes have names that are nobody else's.
            told = text.replace("closed: closed", "closed: message").replace("  closed:\n", "  message:\n")
            told = told.replace("goto: agent}\n", "goto: agent}\n" + LEAVE)
            told = told.replace("phrases:\n", "phrases:\n" + SURE)
            told = told.replace("Joanna-Neural", "Joanna-Neural, hears: en-US")
            told = told.replace("Zhiyu-Neural", "Zhiyu-Neural, hears: cmn-Hans-CN")
            (folder / f"{name}.yaml").write_text(told, "utf-8")
    for file, old, new in changes:
        path = after / f"{file}.yaml"
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(text.replace(old, new), "utf-8")
    return before, after


Say = Callable[[Path, Path, str], list[str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    def told(before: Path, after: Path, language: str) -> list[str]:
        assert cli.main(["diff", str(before), str(after), "--language", language]) == 0
        return capsys.readouterr().out.splitlines()

    return told


@pytest.mark.parametrize(("what", "changes", "zh", "en"), TOLD, ids=[each[0] for each in TOLD])
def test_a_change_is_told_and_nothing_else(
    what: str, changes: tuple[Change, ...], zh: list[str], en: list[str], tmp_path: Path, say: Say
) -> None:
    before, after = folders(tmp_path, changes)
    assert sorted(say(before, after, "zh")) == sorted(zh)
    assert sorted(say(before, after, "en")) == sorted(en)


@pytest.mark.parametrize(("what", "changes"), QUIET, ids=[each[0] for each in QUIET])
def test_what_means_the_same_is_not_told(
    what: str, changes: tuple[Change, ...], tmp_path: Path, say: Say
) -> None:
    before, after = folders(tmp_path, changes)
    assert say(before, after, "zh") == ["没有变化。"]
    assert say(before, after, "en") == ["Nothing changes."]


def test_order_is_told_where_it_means_something(tmp_path: Path, say: Say) -> None:
    before, after = folders(tmp_path, ())
    path = after / "customers.yaml"
    lines = path.read_text("utf-8").splitlines()
    path.write_text("\n".join([*lines[:-2], lines[-1], lines[-2]]) + "\n", "utf-8")
    order = "customers are now sorted into tiers in this order: ordinary > key (was: key > ordinary)"
    assert say(before, after, "en") == [order]


def test_a_branch_is_told_as_a_whole(tmp_path: Path, say: Say) -> None:
    after = Path(shutil.copytree(POWER, tmp_path / "power"))
    path = after / "menu.yaml"
    old = "{tier: [high_risk, key_customer], goto: key_welcome}"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, "{tier: [key_customer, high_risk], goto: key_welcome}"), "utf-8")
    assert say(POWER, after, "en") == ["Nothing changes."]
    path.write_text(text.replace(old, "{tier: [key_customer], goto: key_welcome}", 1), "utf-8")
    assert len(said := say(POWER, after, "en")) == 1
    assert said[0].startswith(
        "main_line now decides: the customer's tier is VIP key account → key_welcome; otherwise → welcome (was: "
    )


def test_a_folder_against_itself_says_nothing(say: Say) -> None:
    assert say(POWER, POWER, "zh") == ["没有变化。"]


def test_two_hotlines_differ_in_many_sentences(say: Say) -> None:
    for other in ("heat", "gas", "retail"):
        for language in ("zh", "en"):
            assert len(say(POWER, POWER.parent / other, language)) > 50


PARTS: tuple[type[Part], ...] = (
    *(Line, Tier, Queue, Matter, TicketType, Calendar, Area, Attribute, Named, Voice, Timing, Keys),
    *KINDS.values(),
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_field_has_a_word_in_both_languages(part: type[Part]) -> None:
    """No name of ours stands in a sentence for a supervisor."""
    assert set(part.model_fields) <= {*FIELD_WORDS, *OWN_SENTENCES, "id", "rank"}


def test_a_side_with_faults_is_not_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = folders(tmp_path, (("menu", "goto: root", "goto: rot"),))
    assert diff(argparse.Namespace(site=str(before), other=str(after), language="en")) == 1
    told = capsys.readouterr().err
    assert "after has faults" in told
    assert "did you mean 'root'?" in told
