"""A plan is read whole or not at all, and whoever wrote it is told every fault with its place."""

from pathlib import Path

import pytest

from config import site_files
from queues.domain.faults import SiteFaults
from queues.domain.parts import in_locale
from queues.domain.plan import load_plan
from queues.domain.tiers import class_code_of
from tests.ivr.site import line_of, power, site


def faults(directory: Path, *changes: tuple[str, str, str]) -> list[str]:
    with pytest.raises(SiteFaults) as caught:
        load_plan(site(directory, *changes))
    return [str(fault) for fault in caught.value.faults]


def test_the_power_hotline_serves_key_customers_sooner_and_danger_first() -> None:
    plan, _ = power()
    assert (plan.site, plan.provider_queue, plan.default_locale) == ("power", "power", "zh-CN")
    assert list(plan.tiers) == ["high_risk", "key_customer", "special_care", "business", "residential"]
    assert [tier.rank for tier in plan.tiers.values()] == [0, 1, 2, 3, 4]
    assert plan.head_start_ms("residential", "power_cut") == 120_000
    assert plan.head_start_ms("key_customer", "power_cut") == 420_000
    assert plan.head_start_ms("high_risk", "key_power_cut") == 540_000 < plan.head_start_cap_ms
    assert [matter.id for matter in plan.matters.values() if matter.is_safety] == ["danger"]
    assert plan.needs("outage", "en-US") == ("outage", "english")
    assert plan.ticket_types["danger"].work_queue == "dispatch_urgent"
    assert (plan.ring_ms, plan.whisper_ms, plan.wrap_up_ms) == (15_000, 10_000, 30_000)


def test_the_version_is_that_of_the_files(tmp_path: Path) -> None:
    files = site(tmp_path)
    assert load_plan(files).version == files.version == site_files.read(tmp_path).version


def test_an_unknown_name_is_shown_with_its_line_and_the_nearest_right_one(tmp_path: Path) -> None:
    found = faults(tmp_path, ("queues", "needs: [general]", "needs: [genral]"), ("queues", "office", "offic"))
    calendar = f"queues.yaml:{line_of('queues', 'calendar')} queues.general.calendar:"
    needs = f"queues.yaml:{line_of('queues', 'needs')} queues.general.needs.0:"
    assert found == [
        f"{calendar} there is no calendar named 'offic'; did you mean 'office'?",
        f"{needs} there is no skill named 'genral'; did you mean 'general'?",
    ]


SETTLING = (
    ("{from: 500, post: boss}", "there is no post named 'boss'"),
    ("{gravity: [], post: boss}", "needs at least one entry"),
    ("{gravity: [poison], post: boss}", "there is no gravity named 'poison'"),
    (
        "{from: 500, gravity: [poison], post: boss}",
        "a rule says either 'from', an amount, or 'gravity', a list",
    ),
    ("{post: boss}", "a rule says either 'from', an amount, or 'gravity', a list"),
    ("{from: a lot, post: boss}", "'a lot' is not a number"),
    ("{from: -1, post: boss}", "must be at least 0"),
)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ("customers", "head_start: 5m", "headstart: 5m"),
            "'headstart' is not known here; did you mean 'head_start'?",
        ),
        (("customers", "ceiling: 3m", "ceiling: 180"), "'180' is not a duration such as 15s, 2m or 1m30s"),
        (("customers", ", ceiling: 3m", ""), "'ceiling' is missing"),
        (("customers", "head_start: 5m", "head_start: 4m"), "lets 'key' pass 'ordinary' by 300s"),
        (("customers", "default: ordinary", "default: normal"), "there is no tier named 'normal'"),
        (("customers", "大客户, en: Key", "大客户"), "the text is missing in en"),
        (("queues", "ticket: enquiry", "ticket: enquiries"), "did you mean 'enquiry'?"),
        (("queues", "wait: {zh: 请稍候, en", "wait: {zh: 请稍候, fr"), "the text is missing in en"),
        (("tickets", "work_queue: desk", "work_queue: The Desk"), "'The Desk' is not a short name"),
        (("calendars", "08:30-17:30", "17:30-08:30"), "does not end after it begins"),
        (("calendars", "mon-fri", "mon-fry"), "'mon-fry' is not a day or a range of days"),
        (("site", "Asia/Shanghai", "Asia/Shangri-La"), "is not a time zone such as Asia/Shanghai"),
        (
            ("site", "  en-US: {language: en-US", "  en-GB: {language: en-GB"),
            "'en-US' has no entry under voices",
        ),
        (
            ("site", "voice: Polly.Joanna-Neural}", "voice: Polly.Joanna-Neural, text: jp}"),
            "there is no language with texts named 'jp'",
        ),
        (
            ("site", "entry: welcome}", "entry: welcome, calendar: office}"),
            "needs both 'calendar' and 'closed'",
        ),
        (
            ("site", "entry: welcome}", "entry: welcome, calendar: ofice, closed: closed}"),
            "there is no calendar named 'ofice'; did you mean 'office'?",
        ),
        (("queues", "matters:", "speaks: {en-GB: general}\nmatters:"), "there is no language named 'en-GB'"),
        (("queues", "matters:", "speaks: english\nmatters:"), "expected a language and the skill"),
        (
            ("customers", "default:", "areas: {other: {name: {zh: 他, en: O}}}\ndefault:"),
            "whose area is unknown",
        ),
        (
            ("customers", "default:", "areas: {East: {name: {zh: 东, en: E}}}\ndefault:"),
            "is not a short name",
        ),
        (
            ("customers", "default:", "appointment: {within: 1 workday}\ndefault:"),
            "workdays need a 'calendar'",
        ),
        (
            ("customers", "default:", "appointment: {within: 1 workday, calendar: offic}\ndefault:"),
            "there is no calendar named 'offic'; did you mean 'office'?",
        ),
        (
            ("customers", "default:", "appointment: {within: 1h, changed: {zh: '{x}', en: E}}\ndefault:"),
            "{x} cannot be filled in",
        ),
        (
            ("customers", "default:", "appointment: {within: 1h, window: ofice}\ndefault:"),
            "there is no calendar named 'ofice'; did you mean 'office'?",
        ),
        (("customers", "default:", "managed: [vip]\ndefault:"), "there is no tier named 'vip'"),
        (
            ("queues", "needs: [general]", "needs: [general]\n    overflow: [{after: 1m, offer: callbak}]"),
            "'callbak' is none of 'callback'",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 1m, to: general, ring: general}]",
            ),
            "a step of overflow has exactly one of: to, offer, ring",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 1m, offer: callback, front: true}]",
            ),
            "'front' goes with 'to'",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 1m, offer: callback, surge: true}]",
            ),
            "'surge' goes with 'to' or 'ring'",
        ),
        (
            ("queues", "needs: [general]", "needs: [general]\n    overflow: [{after: 1m, ring: genral}]"),
            "there is no skill named 'genral'; did you mean 'general'?",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 2m, ring: general}, {after: 1m, offer: callback}]",
            ),
            "this step comes before the one above it",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 1m, offer: callback}, {after: 2m, offer: callback}]",
            ),
            "this step does the same as one above it",
        ),
        (
            ("site", "lines:", "callback: {window: ofice}\nlines:"),
            "there is no calendar named 'ofice'; did you mean",
        ),
        (
            ("queues", "needs: [general]", "needs: [general]\n    max_waiting: 9"),
            "'max_waiting' and 'full' go together",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 1m, goto: x, surge: true}]",
            ),
            "'surge' goes with 'to' or 'ring'",
        ),
        (
            (
                "queues",
                "needs: [general]",
                "needs: [general]\n    overflow: [{after: 1m, goto: x}, {after: 2m, goto: y}]",
            ),
            "this step does the same as one above it",
        ),
        (
            ("site", "lines:", "callback: {first: nobody}\nlines:"),
            "'nobody' is none of 'agent' or 'customer'",
        ),
        (("site", "lines:", "timing: {place_kept: 5}\nlines:"), "'5' is not a duration"),
        (
            ("queues", "matters:", "abandoned: {queues: [genral]}\nmatters:"),
            "there is no queue named 'genral'; did you mean 'general'?",
        ),
        (
            ("queues", "matters:", "abandoned: {menu: {after: 10s, queue: genral}}\nmatters:"),
            "there is no queue named 'genral'; did you mean 'general'?",
        ),
        (("queues", "matters:", "abandoned: {within: 2h, keep: 1h}\nmatters:"), "'keep' must not be below"),
        (("queues", "matters:", "abandoned: {shrt: 5s}\nmatters:"), "did you mean 'short'?"),
        (("quality", "dispositions:", "reports: {day: {at: 8}}\ndispositions:"), "expected a text"),
        (
            ("quality", "dispositions:", 'reports: {day: {at: "25:00"}}\ndispositions:'),
            "'25:00' is not a time of day such as 08:30",
        ),
        (("quality", "dispositions:", "reports: {month: {day: 29}}\ndispositions:"), "must be at most 28"),
        (
            ("quality", "dispositions:", "reports: {kinds: [urgent]}\ndispositions:"),
            "an urgent report has no period: take 'urgent' out of 'kinds'",
        ),
        (
            ("customers", "default:", "affinity: {manager: {}}\ndefault:"),
            "nobody has a manager: name the tiers here, or under 'managed'",
        ),
        (
            ("customers", "default:", "affinity: {last_agent: {wait: 50s}}\ndefault:"),
            "nobody waits for one person alone longer than 45s",
        ),
        (
            ("customers", "default:", "affinity: {last_agent: {within: 7}}\ndefault:"),
            "'7' is not a duration",
        ),
        (
            ("customers", "default:", "affinity: {first_contact: {queues: [genral]}}\ndefault:"),
            "there is no queue named 'genral'; did you mean 'general'?",
        ),
        (
            ("customers", "default:", "affinity: {manager: {tiers: [vip]}}\ndefault:"),
            "there is no tier named 'vip'",
        ),
        (("queues", "needs: [general]", "needs: [general:0]"), "'general:0' has no level from 1 to 9"),
        (("queues", "needs: [general]", "needs: [genral:2]"), "there is no skill named 'genral'; did you"),
        (("customers", "default:", "managed: key\ndefault:"), "expected a list of names such as [a, b]"),
        (
            ("customers", "default:", "class_code: '{format}'\ndefault:"),
            "there is no attribute named 'format'",
        ),
        (
            ("customers", "default:", "class_code: '{ key-code }'\ndefault:"),
            "there is no attribute named ' key-code '",
        ),
        (("tickets", "work_queue: desk", "work_queue: 'repair_{arae}'"), "is not a short name"),
        (
            ("tickets", "priority: 5", "priority: 5, due: {within: 5 days}"),
            "is not a span such as 90m, 24h or 5 workdays",
        ),
        (("tickets", "priority: 5", "priority: 5, due: {within: 5 workdays}"), "workdays need a 'calendar'"),
        (
            ("tickets", "priority: 5", "priority: 5, due: {within: 24h, calendar: offic}"),
            "there is no calendar named 'offic'; did you mean 'office'?",
        ),
        (
            ("tickets", "priority: 5", "priority: 5, due: {within: 24h, areas: {core: 12h}}"),
            "there is no area or class of areas named 'core'",
        ),
        (
            ("tickets", "types:", "states: {open: {zh: 开, en: open}, done: {zh: 完, en: done}}\ntypes:"),
            "there is no state named 'done'",
        ),
        *(
            (("tickets", "priority: 5", f"priority: 5, settled_by: [{rule}]"), told)
            for rule, told in SETTLING
        ),
        (
            ("tickets", "types:", "states: {open: {zh: 开, en: open}}\ntypes:"),
            "there are no words for taken and resolved and closed",
        ),
    ],
)
def test_a_fault_is_told_in_words(tmp_path: Path, change: tuple[str, str, str], told: str) -> None:
    found = faults(tmp_path, change)
    assert any(told in fault for fault in found), found
    assert all(fault.startswith(f"{change[0]}.yaml:") for fault in found), found


def test_more_money_never_leads_to_a_lower_post(tmp_path: Path) -> None:
    posts = "posts: {desk: {name: {zh: 台, en: Desk}}, boss: {name: {zh: 长, en: Boss}}}"
    rules = "settled_by: [{from: 500, post: boss}, {from: 2000, post: desk}]"
    found = faults(
        tmp_path,
        ("tickets", "types:", f"{posts}\ntypes:"),
        ("tickets", "priority: 5", f"priority: 5, {rules}"),
    )
    assert len(found) == 1
    assert "from 2000 on it would go to 'desk', which is not above 'boss' from 500 on" in found[0]


def test_a_class_code_may_hold_the_code_of_the_tier(tmp_path: Path) -> None:
    plan = load_plan(site(tmp_path, ("customers", "default:", "class_code: '{tier}{area}'\ndefault:")))
    assert class_code_of(plan, {"area": "east"}, "", "key") == f"{plan.tiers['key'].code or '-'}east"


def test_every_fault_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    found = faults(
        tmp_path,
        ("customers", "head_start: 5m", "head_start: soon"),
        ("queues", "matters:", "matter:"),
        ("tickets", "priority: 5", "priority: 0"),
    )
    assert [fault.partition(":")[0] for fault in found] == ["customers.yaml", "queues.yaml", "tickets.yaml"]


ATTRIBUTES = """attributes:
  kva: {name: {zh: 容量, en: Capacity}, type: number}
  since: {name: {zh: 自, en: Since}, type: date}
  risky: {name: {zh: 高危, en: Risky}, type: yes_no}
  kind: {name: {zh: 类, en: Kind}, type: choice, values: [home, shop]}
default:"""


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{attribute: kvaa, over: 1}", "there is no attribute named 'kvaa'; did you mean 'kva'?"),
        ("{any: [{attribute: kva, is: much}]}", "'kva' is a number, and 'much' is not"),
        ("{attribute: since, over: 12}", "'since' is a date, and '12' is not"),
        ("{attribute: risky, is: maybe}", "'risky' is true or false, and 'maybe' is neither"),
        ("{attribute: kind, in: [home, mall]}", "'mall' is none of the values of 'kind' (home, shop)"),
        ("{attribute: kind, over: 1}", "so it has no 'over'"),
        ('{band: "1"}', "there is no band of the ranking named '1'"),
    ],
)
def test_a_rule_that_can_never_hold_is_refused_with_its_place(tmp_path: Path, rule: str, told: str) -> None:
    found = faults(
        tmp_path,
        ("customers", "default:", ATTRIBUTES),
        ("customers", "ceiling: 3m}", f"ceiling: 3m, rule: {rule}}}"),
    )
    assert len(found) == 1, found
    assert told in found[0]
    assert "tiers.key.rule" in found[0]


def test_a_ranking_names_what_is_declared(tmp_path: Path) -> None:
    ranking = (
        "ranking: {within: knd, of: [kva, kind], bands: [{code: 1, share: 100, name: {zh: 一, en: One}}]}"
    )
    found = faults(
        tmp_path, ("customers", "default:", ATTRIBUTES.replace("default:", f"{ranking}\ndefault:"))
    )
    assert [fault.partition(": ")[2] for fault in found] == [
        "there is no attribute named 'knd'; did you mean 'kind'?",
        "'kind' is not a number",
    ]


def test_work_lists_are_named_after_their_area_and_due_times_too(tmp_path: Path) -> None:
    areas = "areas: {east: {name: {zh: 东, en: East}, class: core}, west: {name: {zh: 西, en: West}}}"
    types = """types:
  fault:
    name: {zh: 故障, en: Fault}
    work_queue: repair_{area}
    priority: 2
    due: {within: 24h, areas: {core: 12h, west: 36h}}
  danger: {name: {zh: 危险, en: Danger}, work_queue: urgent, priority: 1}
"""
    plan = load_plan(
        site(tmp_path, ("customers", "default:", f"{areas}\ndefault:"), ("tickets", "types:\n", types))
    )
    assert plan.work_queues() == ("urgent", "repair_east", "repair_west", "repair_other", "desk")
    assert [plan.work_queue_of("fault", area) for area in ("east", "", "moon")] == [
        "repair_east",
        "repair_other",
        "repair_other",
    ]
    due = plan.ticket_types["fault"].due
    assert due is not None
    spans = [due.span(plan.areas.get(area)).ms // 3_600_000 for area in ("east", "west", "moon")]
    assert spans == [12, 36, 24]


def test_a_language_may_read_the_texts_of_another(tmp_path: Path) -> None:
    plan = load_plan(
        site(
            tmp_path,
            ("site", "[zh-CN, en-US]", "[en-US, zh-CN, yue-HK]"),
            (
                "site",
                "voices:",
                "voices:\n  yue-HK: {language: yue-HK, voice: Google.yue-HK-Standard-A, hears: yue-Hant-HK, text: zh}",
            ),
            ("queues", "wait: {zh: 请稍候", "wait: {yue: 唔该等等, zh: 请稍候"),
        )
    )
    assert in_locale(plan.queues["general"].wait_prompt, "yue-HK") == "唔该等等"
    assert in_locale(plan.matters["enquiry"].name, "yue-HK") == "咨询"
    assert in_locale(plan.matters["enquiry"].name, "fr-FR") == "咨询"
    assert plan.words_context == {"languages": ("en", "zh", "yue"), "reads": {"yue": "zh"}}
    assert (plan.voices["yue-HK"].hears, plan.voices["zh-CN"].hears) == ("yue-Hant-HK", None)
