"""A small hotline to break: the shortest files that are right, and a way to change a line of them."""

import shutil
from pathlib import Path

from config import site_files
from config.site_files import SiteFiles
from ivr.domain.menus import load_menu
from ivr.domain.nodes import Menu
from queues.domain.plan import Plan, load_plan

FILES = {
    "site": """\
name: {zh: 小站, en: Small}
short_name: {zh: 小站, en: Small}
timezone: Asia/Shanghai
languages: [zh-CN, en-US]
voices:
  zh-CN: {language: cmn-CN, voice: Polly.Zhiyu-Neural}
  en-US: {language: en-US, voice: Polly.Joanna-Neural}
lines:
  main: {name: {zh: 热线, en: Line}, entry: welcome}
""",
    "customers": """\
default: ordinary
tiers:
  key: {name: {zh: 大客户, en: Key}, head_start: 5m, ceiling: 3m}
  ordinary: {name: {zh: 居民, en: Ordinary}, ceiling: 8m}
""",
    "queues": """\
skills: {general: {zh: 综合, en: General}}
queues:
  general:
    name: {zh: 综合, en: General}
    needs: [general]
    calendar: office
    closed: closed
    wait: {zh: 请稍候, en: Please hold}
matters:
  enquiry: {name: {zh: 咨询, en: Enquiry}, ticket: enquiry}
""",
    "calendars": """\
calendars:
  office: {name: {zh: 工作日, en: Office}, weekly: {mon-fri: 08:30-17:30}}
""",
    "tickets": """\
types:
  enquiry: {name: {zh: 咨询, en: Enquiry}, work_queue: desk, priority: 5}
""",
    "quality": """\
dispositions:
  solved: {zh: 解决, en: Solved}
""",
    "menu": """\
exhausted: agent
nodes:
  welcome:
    type: say
    notice: true
    prompt: {zh: 您好，将录音, en: Hello, this is recorded}
    goto: root
  root:
    type: gather
    prompt: {zh: 人工按0, en: Press 0}
    options:
      - {key: "0", label: {zh: 人工, en: Agent}, goto: agent}
  agent:
    type: route
    queue: general
    matter: enquiry
  closed:
    type: voicemail
    prompt: {zh: 请留言, en: Leave a message}
phrases:
""",
}
PHRASES = (
    "customer",
    "unknown_key",
    "not_recorded",
    "still_waiting",
    "connecting",
    "place_kept",
    "system_busy",
    "call_later",
    "message_taken",
    "goodbye",
    "whisper",
    "accept",
    "caller_left",
)
FILES["menu"] += "".join(f"  {name}: {{zh: {name}, en: {name}}}\n" for name in PHRASES)
FILES["menu"] = FILES["menu"].replace("Hello, this", "Hello this").replace("，将录音", "将录音")


def site(directory: Path, *changes: tuple[str, str, str]) -> SiteFiles:
    """The small hotline with `(file, old, new)` changes; each must find what it changes."""
    files = dict(FILES)
    for file, old, new in changes:
        assert files[file].count(old) == 1, f"{old!r} is not once in {file}"
        files[file] = files[file].replace(old, new)
    for name, text in files.items():
        (directory / f"{name}.yaml").write_text(text, "utf-8")
    return site_files.read(directory)


def line_of(file: str, text: str) -> int:
    """The line of the unchanged file in which this text stands."""
    return FILES[file][: FILES[file].index(text)].count("\n") + 1


def power() -> tuple[Plan, Menu]:
    files = site_files.read(Path(__file__).parents[2] / "config" / "sites" / "power")
    plan = load_plan(files)
    return plan, load_menu(files, plan)


ALL_KINDS = Path(__file__).parent / "sites" / "all_kinds"


def all_kinds() -> tuple[Plan, Menu]:
    """A hotline with a node of every kind."""
    files = site_files.read(ALL_KINDS)
    plan = load_plan(files)
    return plan, load_menu(files, plan)


def all_kinds_with(directory: Path, *changes: tuple[str, str, str]) -> SiteFiles:
    """The same with `(file, old, new)` changes; each must find what it changes."""
    here = directory / "all_kinds"
    shutil.copytree(ALL_KINDS, here)
    for file, old, new in changes:
        path = here / f"{file}.yaml"
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} is not once in {file}"
        path.write_text(text.replace(old, new), "utf-8")
    return site_files.read(here)
