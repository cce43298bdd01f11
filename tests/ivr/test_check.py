"""What `shouwen check` says of broken sites: the place, what is wrong there, and what it may have meant."""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from ivr import cli
from ivr.check import check, examine, report
from ivr.demo_plan import read_plan
from ivr.domain.nodes import GatherNode
from tests.house.places import ROOT
from tests.ivr.site import FILES, line_of, site

SITES = sorted(path for path in (ROOT / "config" / "sites").iterdir() if path.is_dir())

TOLD_NO_NUMBER = "announce:\n  next: {zh: 下一位, en: Next}\n  ahead: {zh: 请等, en: Please wait}\n"
TOLD_TOO_OFTEN = (
    "announce:\n  every: 10s\n  next: {zh: 下一位, en: Next}\n  ahead: {zh: '{ahead}', en: '{ahead}'}\n"
)

SCORES = (
    "scores: {{parts: [{{figure: {}, points: 60, target: {}, floor: {}}}, "
    "{{figure: missed, points: 40, target: 2, floor: 20}}]}}\nmatters:\n"
)

# What was broken: the file, the words there and what stands there instead; then the file and the words that stand, as
# long as it is whole, on the line that is named; and all that is said of it. Each site has this one thing wrong.
BROKEN: tuple[tuple[str, tuple[str, str, str], tuple[str, str], str], ...] = (
    ("unknown goto", ("menu", "goto: root", "goto: rot"), ("menu", "goto: root"),
     "nodes.welcome.goto: there is no node named 'rot'; did you mean 'root'?"),
    ("unreachable node", ("menu", "phrases:\n", "  lost: {type: hangup, prompt: {zh: 再见, en: Bye}}\nphrases:\n"),
     ("menu", "phrases:"),
     "nodes.lost: no caller ever gets to this node; lead there with a goto, or take it out"),
    ("missing language", ("menu", "prompt: {zh: 人工按0, en: Press 0}", "prompt: {zh: 人工按0}"),
     ("menu", "prompt: {zh: 人工按0"), "nodes.root.prompt: the text is missing in en"),
    ("a language that is not the site's", ("menu", "prompt: {zh: 请留言, en: Leave a message}",
     "prompt: {zh: 请留言, en: Leave a message, fr: Allo}"), ("menu", "prompt: {zh: 请留言"),
     "nodes.closed.prompt: 'fr' is not a language of this site (zh, en)"),
    ("prompt too long for one Say", ("menu", "Press 0}", "Press 0 " + "and wait " * 500 + "}"),
     ("menu", "prompt: {zh: 人工按0"),
     ("nodes.root.prompt: this text is too long to be spoken at once (4507 characters; 2900 are possible, "
      "or about 488 Chinese ones); put a say node behind it")),
    ("unknown placeholder", ("menu", "Press 0}", "'Press 0, {customer}'}"),
     ("menu", "prompt: {zh: 人工按0"),
     "nodes.root.prompt: there is no placeholder named 'customer'; did you mean 'customer_name'?"),
    ("loop without exit", ("menu", 'key: "0", label: {zh: 人工, en: Agent}, goto: agent',
                           'key: "1", label: {zh: 再听, en: Again}, goto: again'), ("menu", "phrases:"),
     "nodes.again: a caller who presses nothing goes round in circles: again > again"),
    ("key used twice", ("menu", "goto: agent}\n",
                        'goto: agent}\n      - {key: "0", label: {zh: 甲, en: A}, goto: agent}\n'),
     ("menu", "  agent:"),
     "nodes.root.options.1.key: key 0 is used twice in this question"),
    ("a key that means something everywhere", ("menu", 'key: "0"', 'key: "8"'),
     ("menu", 'key: "0"'), "nodes.root.options.0.key: key 8 means 'do_not_record' at every question"),
    ("no telephone key", ("menu", 'key: "0"', 'key: "10"'),
     ("menu", 'key: "0"'),
     "nodes.root.options.0.key: '10' is not a key of a telephone; the keys are \"0\" to \"9\""),
    ("silence leads to a hang-up", ("menu", "    options:\n", "    exhausted: bye\n    options:\n"),
     ("menu", "  root:"), "nodes.root: silence ends in a hang-up: root > bye; it must lead to a person"),
    ("no way to a person", ("menu", "exhausted: agent", "exhausted: closed"), ("menu", "exhausted: agent"),
     "exhausted: 'closed' leads to no person, but key 0 and silence must, at every question"),
    ("a key for a person that leads to none", ("menu", "Agent}, goto: agent}", "Agent}, goto: closed}"),
     ("menu", 'key: "0"'),
     "nodes.root.options.0.goto: key 0 means a person at every question, but 'closed' leads to none"),
    ("unknown kind of node", ("menu", "type: gather", "type: gathr"), ("menu", "type: gather"),
     "nodes.root.type: there is no kind of node named 'gathr'; did you mean 'gather'?"),
    ("a callback without words for it", ("queues", "    calendar: office\n",
                                         "    calendar: office\n    overflow: [{after: 1m, offer: callback}]\n"),
     ("queues", "closed: closed"),
     ("queues.general.overflow.0.offer: menu.yaml has no words for it: callback_offer, callback_promised, "
      "callback_greeting, callback_gone, callback_whisper under phrases")),
    ("a list of who gave up without words for it", ("queues", "matters:\n", "abandoned: {short: 5s}\nmatters:\n"),
     ("queues", "matters:"),
     "abandoned: menu.yaml has no words for who is called: gave_up_greeting under phrases"),
    ("unknown queue", ("menu", "queue: general", "queue: genral"), ("menu", "queue: general"),
     "nodes.agent.queue: there is no queue named 'genral'; did you mean 'general'?"),
    ("unknown matter", ("menu", "matter: enquiry", "matter: enquiri"), ("menu", "matter: enquiry"),
     "nodes.agent.matter: there is no matter named 'enquiri'; did you mean 'enquiry'?"),
    ("people without a recording notice", ("menu", "    notice: true\n", ""),
     ("menu", 'key: "0"'),
     "nodes.agent: callers can get here without having heard a recording notice: welcome > root > agent"),
    ("a field nobody knows", ("menu", "    goto: root", "    goto: root\n    gotoo: root"),
     ("menu", "  root:"),
     "nodes.welcome.gotoo: 'gotoo' is not known here; did you mean 'goto'?"),
    ("a field that is missing", ("queues", "    calendar: office\n", ""),
     ("queues", "  general:"), "queues.general: 'calendar' is missing"),
    ("unknown calendar", ("queues", "calendar: office", "calendar: offce"),
     ("queues", "calendar: office"),
     "queues.general.calendar: there is no calendar named 'offce'; did you mean 'office'?"),
    ("a calendar with overlapping hours", ("calendars", "08:30-17:30}", "[08:30-12:00, 11:00-17:30]}"),
     ("calendars", "weekly"), "calendars.office.weekly: two of the hours of mon overlap"),
    ("hours that end before they begin", ("calendars", "08:30-17:30", "17:30-08:30"),
     ("calendars", "weekly"),
     ("calendars.office.weekly: '17:30-08:30' does not end after it begins; hours over midnight are two: "
      "[00:00-08:00, 22:00-24:00]")),
    ("a day of the week that is none", ("calendars", "mon-fri", "mon-fry"),
     ("calendars", "weekly"),
     "calendars.office.weekly: 'mon-fry' is not a day or a range of days such as mon-fri"),
    ("a node of closed hours that is missing", ("queues", "closed: closed", "closed: close"),
     ("queues", "closed: closed"),
     "queues.general.closed: there is no node named 'close'; did you mean 'closed'?"),
    ("a length of time without a unit", ("customers", "head_start: 5m", "head_start: 5"),
     ("customers", "head_start: 5m"),
     "tiers.key.head_start: '5' is not a duration such as 15s, 2m or 1m30s"),
    ("a ceiling that passes further than a head start", ("customers", "ceiling: 3m", "ceiling: 1m"),
     ("customers", "ceiling: 3m"),
     ("tiers.key.ceiling: lets 'key' pass 'ordinary' by 420s, but its head start over it is only 300s; "
      "a ceiling of 180s is possible")),
    ("unknown default tier", ("customers", "default: ordinary", "default: ordinry"),
     ("customers", "default: ordinary"),
     "default: there is no tier named 'ordinry'; did you mean 'ordinary'?"),
    ("unknown ticket type", ("queues", "ticket: enquiry", "ticket: inquiry"),
     ("queues", "ticket: enquiry"),
     "matters.enquiry.ticket: there is no ticket type named 'inquiry'; did you mean 'enquiry'?"),
    ("a work queue that is no short name", ("tickets", "work_queue: desk", "work_queue: Desk One"),
     ("tickets", "work_queue: desk"),
     "types.enquiry.work_queue: 'Desk One' is not a short name such as dispatch_urgent (small letters, digits, _)"),
    ("a tier's name in no language", ("customers", "name: {zh: 居民, en: Ordinary}", "name: {}"),
     ("customers", "zh: 居民"),
     "tiers.ordinary.name: the text is missing in zh and en"),
    ("announcements that say no number", ("queues", "matters:\n", f"{TOLD_NO_NUMBER}matters:\n"),
     ("queues", "matters:"), "announce: 'ahead' is to say {ahead} in every language"),
    ("announcements on top of each other", ("queues", "matters:\n", f"{TOLD_TOO_OFTEN}matters:\n"),
     ("queues", "enquiry: {name"), "announce.every: must be at least 15000"),
    ("a department of a queue that is not there",
     ("queues", "matters:\n", "departments: {grid: {name: {zh: 运行部, en: Works}, queues: [genral]}}\nmatters:\n"),
     ("queues", "matters:"), "departments.grid.queues.0: there is no queue named 'genral'; did you mean 'general'?"),
    ("a queue of two departments",
     ("queues", "matters:\n", "departments: {a: {name: {zh: 甲, en: A}, queues: [general, general]}}\nmatters:\n"),
     ("queues", "matters:"), "departments.a.queues.1: 'general' belongs to 'a' already"),
    ("a report that is late before it is made",
     ("quality", "dispositions:\n", 'reports: {week: {at: "14:00"}}\ndispositions:\n'), ("quality", "dispositions:"),
     "reports.week: 'by' (13:00) must be later than 'at' (14:00)"),
    ("complaints of a kind that is not there",
     ("quality", "dispositions:\n", "reports: {complaints: [enquirie]}\ndispositions:\n"),
     ("quality", "dispositions:"),
     "reports.complaints.0: there is no ticket type named 'enquirie'; did you mean 'enquiry'?"),
    ("a target by a profile nobody knows",
     ("queues", "matters:\n", "targets: {rows: [{profile: cn-publik}]}\nmatters:\n"),
     ("queues", "matters:"),
     "targets.rows.0.profile: there is no profile named 'cn-publik'; did you mean 'cn-public'?"),
    ("a target that never counts",
     ("queues", "matters:\n", "targets: {rows: [{share: 90}, {queue: general, within: 30s}]}\nmatters:\n"),
     ("queues", "matters:"), "targets.rows.1: this row never counts: one above it fits everybody whom it fits"),
    ("a target of two minds",
     ("queues", "matters:\n", "targets: {rows: [{profile: 80/20, within: 30s}]}\nmatters:\n"), ("queues", "matters:"),
     "targets.rows.0: 'profile' says share and time; take out 'share' and 'within', or 'profile'"),
    ("a contract by no formula", ("queues", "matters:\n", "targets: {formula: f9}\nmatters:\n"), ("queues", "matters:"),
     "targets.formula: 'f9' is none of 'f1', 'f2', 'f3', 'f4', 'f5', 'f6' or 'f7'"),
    ("points for what is no agent's doing", ("queues", "matters:\n", SCORES.format("asa", "20s", "60s")),
     ("queues", "matters:"), ("scores.parts.0.figure: 'asa' is no agent's own doing; judged can be acceptance, "
      "missed, answered, aht, talk_time, hold_time, wrap_time, held_share, transfer, occupancy, readiness")),
    ("points for a figure nobody knows", ("queues", "matters:\n", SCORES.format("acceptence", 95, 70)),
     ("queues", "matters:"),
     "scores.parts.0.figure: there is no figure of an agent named 'acceptence'; did you mean 'acceptance'?"),
    ("points that lead nowhere", ("queues", "matters:\n", SCORES.format("acceptance", 95, 95)),
     ("queues", "matters:"), ("scores.parts.0.target: target and floor are the same; between them the "
      "points rise, so one must be the better")),
    ("points for being slow", ("queues", "matters:\n", SCORES.format("wrap_time", "90s", "30s")),
     ("queues", "matters:"),
     "scores.parts.0.target: of 'wrap_time' less is better: the target must be below the floor"),
    ("a time without a unit in points", ("queues", "matters:\n", SCORES.format("wrap_time", 30, "90s")),
     ("queues", "matters:"), "scores.parts.0.target: '30' is not a duration such as 15s, 2m or 1m30s"),
    ("points that are not 100", ("queues", "matters:\n", SCORES.format("acceptance", 95, 70).replace("60,", "50,")),
     ("queues", "matters:"), "scores.parts: the points of all parts are 90 together; they must be 100"),
    ("a figure judged twice", ("queues", "matters:\n", SCORES.format("missed", 2, 20)),
     ("queues", "matters:"),
     "scores.parts.1: 'missed' is judged by a part above already; take one of them out"),
    ("an alarm of a queue that is not there",
     ("queues", "matters:\n", "alarms: {queues: {genral: {without: [abandonment]}}}\nmatters:\n"),
     ("queues", "matters:"),
     "alarms.queues.genral: there is no queue named 'genral'; did you mean 'general'?"),
    ("an alarm that would flicker", ("queues", "matters:\n", "alarms: {abandonment: {over: 5, clear: 5}}\nmatters:\n"),
     ("queues", "matters:"), "alarms.abandonment: 'clear' must be below 'over', else the alarm would come and go"),
    ("an alarm of one queue that has none",
     ("queues", "matters:\n", "alarms: {queues: {general: {without: [occupancy]}}}\nmatters:\n"),
     ("queues", "matters:"),
     "alarms.queues.general.without: 'occupancy' is no alarm of a queue; write it under 'alarms'"),
    ("an alarm nobody knows", ("queues", "matters:\n", "alarms: {longest_wit: {over: 1m}}\nmatters:\n"),
     ("queues", "matters:"), "alarms.longest_wit: 'longest_wit' is not known here; did you mean 'longest_wait'?"),
    ("a surge of a queue that is not there", ("queues", "matters:\n", "surge: {waiting: {genral: 9}}\nmatters:\n"),
     ("queues", "matters:"), "surge.waiting.genral: there is no queue named 'genral'; did you mean 'general'?"),
    ("a surge that never begins", ("queues", "matters:\n", "surge: {calm: 5m}\nmatters:\n"),
     ("queues", "matters:"), "surge: a surge needs 'waiting' or 'area', or it never begins"),
    ("an overflow for a surge that never begins",
     ("queues", "    closed: closed\n", "    closed: closed\n    overflow: [{after: 9s, to: general, surge: true}]\n"),
     ("queues", "    wait:"),
     "queues.general.overflow.0.surge: no surge ever begins: 'surge' is missing in queues.yaml"),
    ("an unknown skill", ("queues", "needs: [general]", "needs: [genral]"),
     ("queues", "needs: [general]"),
     "queues.general.needs.0: there is no skill named 'genral'; did you mean 'general'?"),
    ("a time zone that is none", ("site", "Asia/Shanghai", "Asia/Shanghi"), ("site", "Asia/Shanghai"),
     "timezone: 'Asia/Shanghi' is not a time zone such as Asia/Shanghai"),
    ("a language without a voice", ("site", "  en-US: {language: en-US, voice: Polly.Joanna-Neural}\n", ""),
     ("site", "languages:"), "languages.1: 'en-US' has no entry under voices"),
    ("a line that begins nowhere", ("site", "entry: welcome", "entry: welcom"),
     ("site", "entry: welcome"),
     "lines.main.entry: there is no node named 'welcom'; did you mean 'welcome'?"),
    ("a bracket left open", ("menu", "nodes:\n", "nodes: [\n"), ("menu", "    type: say"),
     ("a comma or a closing bracket is missing here or in the line above; a text with , : [ ] { } in it goes in "
      "quotation marks")),
    ("a name given twice", ("tickets", "types:\n", "types: {}\ntypes:\n"),
     ("tickets", "  enquiry:"),
     "duplicate key: 'types' stands here a second time; a name is given once"),
    ("a recorded prompt that is not there", ("menu", "    goto: root", "    audio: {zh: hello.wav}\n    goto: root"),
     ("menu", "goto: root"), "nodes.welcome.audio.zh: there is no file audio/hello.wav in this site"),
    ("a queue that leads to no node", ("queues", "calendar: office",
                                       "calendar: office\n    overflow: [{after: 9m, goto: agnt}]"),
     ("queues", "closed: closed"),
     "queues.general.overflow.0.goto: there is no node named 'agnt'; did you mean 'agent'?"),
    ("full, and nowhere to go", ("queues", "calendar: office", "calendar: office\n    max_waiting: 9\n    full: clsed"),
     ("queues", "wait: {zh"),
     "queues.general.full: there is no node named 'clsed'; did you mean 'closed'?"),
    ("full, and back to itself", ("queues", "calendar: office", "calendar: office\n    max_waiting: 9\n    full: root"),
     ("queues", "wait: {zh"),
     ("queues.general.full: a caller who presses nothing comes to the full queue again: root > agent; lead him to a "
      "voicemail, a goodbye or a queue that is never full")),
)  # fmt: skip
EXTRA_NODE = {
    "silence leads to a hang-up": "  bye: {type: hangup, prompt: {zh: 再见, en: Bye}}\nphrases:\n",
    "loop without exit": "  again: {type: say, prompt: {zh: 再说, en: Again}, goto: again}\nphrases:\n",
}


def broken(directory: Path, what: str, change: tuple[str, str, str]) -> Path:
    folder = directory / "small"
    folder.mkdir()
    changes = [change]
    for file, text in FILES.items():
        (folder / f"{file}.yaml").write_text(text, "utf-8")
    if what in EXTRA_NODE:
        changes.append(("menu", "phrases:\n", EXTRA_NODE[what]))
    for file, old, new in changes:
        path = folder / f"{file}.yaml"
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(text.replace(old, new), "utf-8")
    return folder


@pytest.mark.parametrize(("what", "change", "place", "words"), BROKEN, ids=[each[0] for each in BROKEN])
def test_a_broken_site_is_told_with_its_place(
    what: str,
    change: tuple[str, str, str],
    place: tuple[str, str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = broken(tmp_path, what, change)
    assert cli.main(["check", str(folder)]) == 1
    told = capsys.readouterr().err
    assert told.removeprefix(f"{place[0]}.yaml:{line_of(*place)}").lstrip(": ") == f"{words}\n"


def test_a_quarter_that_ranks_before_its_points_are_there_is_told_with_its_place(tmp_path: Path) -> None:
    folder = tmp_path / "power"
    shutil.copytree(ROOT / "config" / "sites" / "power", folder)
    path = folder / "quality.yaml"
    text = path.read_text("utf-8")

    def told(quarter: str) -> list[str]:
        path.write_text(text.replace("reports:\n", f"reports:\n  quarter: {quarter}\n"), "utf-8")
        return [str(fault) for fault in examine(folder).faults]

    line = text[: text.index("reports:\n")].count("\n") + 2
    (fault,) = told('{day: 1, at: "00:00"}')
    assert fault.startswith(f"quality.yaml:{line} reports.quarter.day: "), fault
    assert "'day' must be at least 2" in fault
    assert told('{day: 2, at: "00:00"}') == []


def test_at_least_twenty_sites_are_broken() -> None:
    assert len(BROKEN) >= 20


def test_faults_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    site(folder, ("menu", "goto: root", "goto: rot"), ("menu", "type: voicemail", "type: voicemale"),
         ("customers", "ceiling: 3m", "ceiling: soon"), ("queues", "needs: [general]", "needs: [genral]"))  # fmt: skip
    found = [str(fault) for fault in examine(folder).faults]
    for words in ("'rot'", "'voicemale'", "'soon'", "'genral'"):
        assert any(words in fault for fault in found), (words, found)
    assert len(found) == len(set(found))


def test_files_that_are_no_yaml_are_told_together(tmp_path: Path) -> None:
    folder = broken(tmp_path, "", ("menu", "nodes:\n", "nodes: [\n"))
    (folder / "tickets.yaml").write_text("types: !python {}\n", "utf-8")
    found = [str(fault) for fault in examine(folder).faults]
    assert [fault.partition(":")[0] for fault in found] == ["menu.yaml", "tickets.yaml"]


@pytest.mark.parametrize("folder", SITES, ids=lambda path: path.name)
@pytest.mark.parametrize("language", [None, "zh", "en"])
def test_our_own_sites_have_no_fault_and_every_node_in_the_tree(folder: Path, language: str | None) -> None:
    found = examine(folder)
    assert found.faults == ()
    assert found.hotline is not None
    lines = report(found, found.hotline, language)
    for name, node in found.hotline.menu.nodes.items():
        own = [line for line in lines if f"{name} [" in line]
        assert len([line for line in own if line.split(f"{name} [")[0].endswith(("-> ", "")) and (
            line.startswith(f"{name} [") or f"-> {name} [" in line)]) == 1, name  # fmt: skip
        if isinstance(node, GatherNode):
            for option in node.options:
                assert any(f"─ {option.key} " in line and f"-> {option.goto}" in line for line in lines)
    assert any("may pass" in line for line in lines)
    assert any(line.startswith("  work queues") for line in lines)


def chosen(site: str, **values: object) -> argparse.Namespace:
    return argparse.Namespace(**{"site": site, "picture": None, "json": False, "language": None, **values})


def test_the_report_of_a_small_site(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = broken(tmp_path, "", ("menu", "exhausted: agent", "exhausted: agent"))
    assert check(chosen(str(folder), language="en")) == 0
    printed = capsys.readouterr().out.splitlines()
    assert "  key may pass ordinary who came up to 300 s earlier" in printed
    assert "  always first, whoever calls: nobody" in printed
    assert "  outside these bounds: a call that a supervisor raised by hand" in printed
    assert "  work queues, the most urgent first: desk" in printed
    tree = printed[printed.index("dialled: Line") :]
    assert tree == [
        "dialled: Line",
        "welcome [speaks] Hello this is recorded",
        "└─ then -> root [asks for a choice] Press 0",
        "   ├─ 0 Agent -> agent [to a person] General · Enquiry",
        "   │  └─ out of hours -> closed [takes a message] Leave a message",
        "   └─ silence or wrong keys -> agent (see above)",
    ]


def test_for_programs_everything_is_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = broken(tmp_path, "", ("menu", "exhausted: agent", "exhausted: agent"))
    assert cli.main(["check", str(folder), "--json", "--language", "en"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["site"], told["faults"], told["work_queues"]) == ("small", [], ["desk"])
    assert told["bounds"] == [{"ahead": "key", "behind": "ordinary", "by_s": 300.0}]
    root = next(each for each in told["menu"] if each["node"] == "root")
    assert root["ways"][0] == {"kind": "key", "key": "0", "words": "Agent", "goto": "agent"}
    path = folder / "menu.yaml"
    path.write_text(path.read_text("utf-8").replace("goto: root", "goto: rot"), "utf-8")
    assert cli.main(["check", str(folder), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["faults"][0]["where"] == f"menu.yaml:{line_of('menu', 'goto: root')}"


def test_the_picture_is_written_beside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = broken(tmp_path, "", ("menu", "exhausted: agent", "exhausted: agent"))
    file = tmp_path / "menu.svg"
    assert cli.main(["check", str(folder), "--picture", str(file)]) == 0
    assert str(file) in capsys.readouterr().out
    assert ET.parse(file).getroot().tag.endswith("svg")  # noqa: S314  our own picture


def test_warnings_are_no_faults(tmp_path: Path) -> None:
    folder = broken(tmp_path, "", ("calendars", "08:30-17:30}", "08:30-17:30}, holidays: [2020-10-01]"))
    (folder / "audio").mkdir()
    (folder / "audio" / "nobody.wav").write_bytes(b"RIFF")
    found = examine(folder)
    assert found.faults == ()
    told = [str(warning) for warning in found.warnings]
    assert any(
        "audio/nobody.wav" in warning and "no node of the menu plays this file" in warning for warning in told
    )
    assert any(warning.startswith(f"calendars.yaml:{line_of('calendars', 'weekly')}") for warning in told)


# A key that is spoken and does nothing, a key that does something and is not spoken: what was broken, the words
# whose line is named, and the whole warning.
MISSPOKEN: tuple[tuple[str, tuple[str, str, str], str, str], ...] = (
    ("a key that is no option", ("menu", "人工按0", "缴费按5、人工按0"), "prompt: {zh: 人工按0",
     "nodes.root.prompt: in zh-CN the caller is told to press 5, which is no option here"),
    ("a key said as a word", ("menu", "Press 0}", "For bills press five or press 0}"), "prompt: {zh: 人工按0",
     "nodes.root.prompt: in en-US the caller is told to press 5, which is no option here"),
    ("an option that is not spoken", ("menu", "    options:\n",
     '    options:\n      - {key: "3", label: {zh: 缴费, en: Bills}, goto: agent}\n'), 'key: "0"',
     "nodes.root.options.0: in zh-CN the prompt does not speak of key 3"),
    ("only in the other language", ("menu", "人工按0, en: Press 0}",
     "人工按0, en: Press 0}\n    in_other_languages: {en: For English press 9.}"), "prompt: {zh: 人工按0",
     "nodes.root.prompt: in zh-CN the caller is told to press 9, which is no option here"),
)  # fmt: skip


@pytest.mark.parametrize(("what", "change", "place", "warning"), MISSPOKEN)
def test_keys_that_are_spoken_and_keys_that_work_are_compared(
    what: str, change: tuple[str, str, str], place: str, warning: str, tmp_path: Path
) -> None:
    found = examine(broken(tmp_path, "", change))
    assert found.faults == ()
    told = {str(each) for each in found.warnings}
    assert f"menu.yaml:{line_of('menu', place)} {warning}" in told, (what, told)


@pytest.mark.parametrize("words", [["check", "nowhere"], ["diff", "power", "nowhere"]])
def test_a_site_that_is_not_there(words: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(words) == 2
    assert "there is no site 'nowhere'" in capsys.readouterr().err


def test_a_hotline_is_found_by_its_name_here_or_by_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("SITES_DIR", raising=False)
    folder = tmp_path / "water"
    folder.mkdir()
    site(folder)
    monkeypatch.chdir(tmp_path)
    for name in ("water", "./water", "water/", str(folder)):
        assert cli.main(["check", name]) == 0, name
    monkeypatch.chdir(folder)
    assert cli.main(["check", "."]) == 0
    assert capsys.readouterr().out.count("water: ") == 5
    assert cli.main(["check", "wasser"]) == 2
    assert "there is no site 'wasser'" in capsys.readouterr().err
    folder.rename(tmp_path / "Water works")
    assert cli.main(["check", str(tmp_path / "Water works")]) == 0
    assert "this folder cannot be run; give it a short name" in capsys.readouterr().out


def test_the_demo_plays_a_folder_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SITES_DIR", raising=False)
    (tmp_path / "water").mkdir()
    site(tmp_path / "water")
    monkeypatch.chdir(tmp_path)
    assert read_plan(["--site", "water"]).folder == tmp_path / "water"
    assert read_plan(["--site", "./water"]).folder == tmp_path / "water"
    assert read_plan([]).folder.name == "power"
    for wrong in ("wasser", "./Water works"):
        (tmp_path / "Water works").mkdir(exist_ok=True)
        with pytest.raises(SystemExit):
            read_plan(["--site", wrong])


# What a person types who writes the first hotline: the file, the words there and what stands there instead; what is
# said of it. Nothing here is the language of a reader of files.
SLIPS: tuple[tuple[str, str, str, str], ...] = (
    ("menu", "    type: say\n", "\ttype: say\n", ":4: a tab stands in this line; use spaces"),
    ("menu", "    type: say\n", "    type：say\n", ":4: a full-width '：' stands where ':' and a space should"),
    ("menu", "  agent:\n", "  agent：\n", "a full-width '：' stands where"),
    ("menu", "    type: say\n", "    type:say\n", "a space is missing behind 'type:'"),
    ("menu", '{key: "0", label', '{key: "0"，label', "a full-width '，' stands where ',' and a space should"),
    ("tickets", "{name: {zh: 咨询", "{name：{zh: 咨询", "a full-width '：' stands where"),
    ("tickets", "work_queue: desk,", "work_queue：desk,", "'work_queue：desk': a full-width '：' stands where"),
    ("menu", "en: Press 0}", "en: \"Press 0}", "a quotation mark in this line is not closed"),
    ("menu", "en: Leave a message}", "en: \"Leave a message}", ":19: the quotation mark in this line is never closed"),
    ("menu", "en: Press 0}", "en: Press 0", "a comma or a closing bracket is missing"),
    ("menu", "    goto: root\n", "   goto: root\n", "this line does not fit the one above"),
    ("menu", 'key: "0"', "key: *", "'*' must stand in quotation marks"),
    ("menu", 'key: "0"', "key: 0", 'key: expected a text; put it in quotation marks: "0"'),
    ("menu", "zh: 人工,", "zh: 2026-10-01,", 'label.zh: expected a text; put it in quotation marks: "2026-10-01"'),
    ("queues", "needs: [general]", "needs: general", "needs: expected a list such as [a, b]"),
    ("queues", "ticket: enquiry}", "ticket: enquiry, safety: 是}", "'是' is neither true nor false"),
    ("menu", "    type: say\n", "", "nodes.welcome: 'type' is missing"),
    ("calendars", "08:30-17:30", "22:00-08:00", "hours over midnight are two: [00:00-08:00, 22:00-24:00]"),
    ("calendars", "17:30}", "17:30}, exceptions: {2026-02-30: closed}", ":2: there is no such day: 2026-02-30"),
)  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "said"), SLIPS, ids=[each[2].strip() for each in SLIPS])
def test_a_slip_of_the_pen_is_told_in_plain_words(
    file: str, old: str, new: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(broken(tmp_path, "", (file, old, new)))]) == 1
    told = capsys.readouterr().err
    assert told.startswith(f"{file}.yaml:")
    assert said in told


def test_a_missing_file_is_told_once_and_under_what_name_it_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site(tmp_path)
    (tmp_path / "menu.yaml").rename(tmp_path / "menu.yaml.txt")
    assert cli.main(["check", str(tmp_path)]) == 1
    assert capsys.readouterr().err == (
        "menu.yaml: this file is missing or empty; rename 'menu.yaml.txt' to 'menu.yaml'\n"
    )


def test_what_is_right_and_hardly_meant_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site(
        tmp_path,
        ("menu", "zh: 人工按0,", "zh: 人工｛org｝按0,"),
        (
            "menu",
            "prompt: {zh: 请留言, en: Leave a message}",
            "prompt:\n      zh: 请留言 #1 号\n      en: Leave",
        ),
    )
    (tmp_path / "menu copy.yaml").write_text("a: 1\n", "utf-8")
    assert cli.main(["check", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "'｛org｝' is spoken as it stands" in told
    assert "'#1 号' is not read" in told
    assert "menu copy.yaml: this file is not read" in told
