"""Who calls when: a day drawn from a seed, or the calls of a log played again.

Everything here is worked out before the first call is dialled, from plain values and a `random.Random`
handed in: the same seed gives the same day, call for call. Tables (tiers, matters, keys, lines) are data
with defaults for the power site.
"""

import math
import random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from ivr.standin.scenario import HOUR_MS, Customer, Errand, PlannedCall, Profile, Reached

DAY_MS = 24 * HOUR_MS
LogRow = Mapping[str, object]
TierTable = Mapping[int, str]
MatterTable = Mapping[str, str]
KeyTable = Mapping[str, Mapping[str, Sequence[str]]]

UTILITY_HOURS: tuple[float, ...] = (
    *(8, 6, 5, 4, 5, 9, 20, 45),  # night crews and early risers
    *(88, 112, 108, 92, 58, 66, 92, 98),  # two working peaks with lunch between them
    *(90, 78, 74, 80, 72, 54, 32, 16),  # people come home and find the power off
)

PRIORITY_TIERS: TierTable = {0: "residential", 1: "business", 2: "key_customer"}
"""The bank's priorities as tiers of the power site."""

TYPE_MATTERS: MatterTable = {
    "PS": "enquiry",
    "NW": "connection",
    "IN": "billing",
    "NE": "power_cut",
    "PE": "english",
    "TT": "enquiry",
    "general": "enquiry",
    "outage": "power_cut",
    "key": "enquiry",
}
"""The bank's types, and the queues of a plain table, as what the caller wants; another word is itself."""

ORDINARY_KEYS: Mapping[str, Sequence[str]] = {
    "power_cut": ("1", "2"),
    "danger": ("1", "1"),
    "billing": ("2",),
    "connection": ("3",),
    "complaint": ("5", "1"),
    "misconduct": ("5", "2"),
    "enquiry": ("0",),
    "english": ("9", "0"),
    "*": ("0",),
}
KEY_CUSTOMER_KEYS: Mapping[str, Sequence[str]] = {
    "power_cut": ("1", ""),
    "danger": ("1", "1"),
    "connection": ("2",),
    "billing": ("3",),
    "complaint": ("4",),
    "enquiry": ("0",),
    "*": ("0",),
}
SITE_KEYS: KeyTable = {"high_risk": KEY_CUSTOMER_KEYS, "key_customer": KEY_CUSTOMER_KEYS, "*": ORDINARY_KEYS}
"""tier -> matter -> keys to press, question by question; `*` stands for every tier or matter not named.

A table given instead may name the log's own types and queues in place of matters.
"""

MENU_LEAVE_MS_MAX = 20_000
PATIENCE_MS_MAX = HOUR_MS
MESSAGES = (
    "您好，我们店里突然停电了，麻烦尽快派人来看一下。",
    "你好，我想咨询一下增容的手续，请工作日给我回个电话，谢谢。",
    "上个月的电费好像不对，请帮忙核对后联系我。",
)


def stranger(rng: random.Random) -> str:
    """A mobile number that nobody has registered."""
    return f"+86139{rng.randrange(10_000_000, 100_000_000)}"


def seeded_calls(
    profile: Profile, customers: Sequence[Customer], rng: random.Random
) -> tuple[PlannedCall, ...]:
    """One draw of the profile's day: a Poisson process whose rate follows the hours, an errand each."""
    weights = [errand.weight for errand in profile.errands]
    numbers = numbers_by_tier(customers)
    calls = []
    for at_ms in _poisson_instants(profile, rng):
        errand = rng.choices(profile.errands, weights)[0]
        calls.append(_run_errand(errand, at_ms, numbers.get(errand.tier, ()), rng))
    return tuple(calls)


def _poisson_instants(profile: Profile, rng: random.Random) -> Iterator[int]:
    """Thinning: candidates at the busiest hour's rate, each kept with the share its own hour has of that."""
    hourly = profile.hourly or UTILITY_HOURS
    busiest = max(hourly)
    busiest_per_ms = profile.calls_per_day * busiest / sum(hourly) / HOUR_MS
    at_ms = 0.0
    while (at_ms := at_ms + rng.expovariate(busiest_per_ms)) < profile.for_ms:
        hour = int((profile.starts_at_ms_of_day + at_ms) % DAY_MS // HOUR_MS)
        if rng.random() * busiest < hourly[hour]:
            yield int(at_ms)


def _run_errand(errand: Errand, at_ms: int, numbers: Sequence[str], rng: random.Random) -> PlannedCall:
    leaves_in_menu = rng.random() < errand.leaves_in_menu_share
    return PlannedCall(
        at_ms=at_ms,
        from_=_number_of("", numbers, rng),
        to=errand.to,
        keys=() if leaves_in_menu else errand.keys,
        key_delay_ms=rng.randrange(600, 3_500),
        menu_ms=rng.randrange(2_000, MENU_LEAVE_MS_MAX) if leaves_in_menu else None,
        patience_ms=_exponential(errand.patience_mean_ms, rng, PATIENCE_MS_MAX),
        talk_ms=_talk_ms(errand.talk_mean_ms, rng),
        message=errand.message or rng.choice(MESSAGES),
        refuses_recording=rng.random() < errand.refuses_recording_share,
        takes_callback=rng.random() < errand.takes_callback_share,
        when_called_back=_when_called_back(errand, rng),
        tier=errand.tier,
        matter=errand.matter,
    )


def _when_called_back(errand: Errand, rng: random.Random) -> tuple[Reached, ...]:
    misses: tuple[Reached, ...] = ("unanswered", "mailbox", "busy")
    return (rng.choice(misses),) if rng.random() < errand.missed_callback_share else ()


def _exponential(mean_ms: int, rng: random.Random, ms_max: int) -> int:
    return min(ms_max, int(rng.expovariate(1 / mean_ms))) if mean_ms else 0


def _talk_ms(mean_ms: int, rng: random.Random) -> int:
    """Service times of real hotlines are close to lognormal (Brown et al., 2005)."""
    sigma = 0.7
    drawn = rng.lognormvariate(math.log(max(1, mean_ms)) - sigma**2 / 2, sigma)
    return min(HOUR_MS, max(3_000, int(drawn)))


def plan_calls(
    logged: Sequence[LogRow],
    *,
    customers: Sequence[Customer],
    lines: Mapping[str, str],
    rng: random.Random,
    starts_at_ms_of_day: int | None = None,
    tiers: TierTable = PRIORITY_TIERS,
    matters: MatterTable = TYPE_MATTERS,
    keys: KeyTable = SITE_KEYS,
) -> tuple[PlannedCall, ...]:
    """The logged calls as intentions of today's callers.

    A row has the fields of a logged call: day, at_ms_of_day, customer_key, priority, type, tier, queue,
    menu_s, wait_s, outcome, service_s, patience_s. `lines` gives the number dialled by a tier, `*` for the
    others. The same customer_key is always the same seeded customer of his tier; who was not identified is
    anyone of his tier, and a tier without customers calls from numbers nobody knows. A hang-up in the queue
    keeps his real patience; of the others only a lower bound is known, so theirs is drawn beyond it from
    the log's own Kaplan-Meier curve. A hang-up in the menu presses nothing and leaves after his real menu
    time, at most 20 s, before the menu would send him on.
    """
    rows = sorted(logged, key=lambda row: (str(row["day"]), _int(row, "at_ms_of_day")))
    if not rows:
        return ()
    curve = patience_curve(rows)
    first_day = date.fromisoformat(str(rows[0]["day"])).toordinal()
    start_ms = _int(rows[0], "at_ms_of_day") if starts_at_ms_of_day is None else starts_at_ms_of_day
    numbers = numbers_by_tier(customers)
    calls = []
    for row in rows:
        tier = str(row.get("tier") or tiers[_int(row, "priority")])
        kind = str(row.get("queue") or row.get("type") or "*")
        matter = matters.get(kind, kind)
        days = date.fromisoformat(str(row["day"])).toordinal() - first_day
        habits = _habits_of(row, curve, rng)
        calls.append(
            habits.model_copy(
                update={
                    "at_ms": max(0, days * DAY_MS + _int(row, "at_ms_of_day") - start_ms),
                    "from_": _number_of(str(row["customer_key"]), numbers.get(tier, ()), rng),
                    "to": lines.get(tier) or lines["*"],
                    "keys": () if habits.menu_ms is not None else keys_for(keys, tier, kind, matter),
                    "tier": tier,
                    "matter": matter,
                }
            )
        )
    return tuple(calls)


def keys_for(keys: KeyTable, tier: str, *wishes: str) -> tuple[str, ...]:
    """What a caller of that tier presses to get the first of his wishes that the table names."""
    table = keys.get(tier) or keys["*"]
    return tuple(next((table[wish] for wish in wishes if wish in table), table["*"]))


def numbers_by_tier(customers: Sequence[Customer]) -> Mapping[str, Sequence[str]]:
    numbers: dict[str, list[str]] = {}
    for customer in customers:
        numbers.setdefault(customer.tier, []).append(customer.number)
    return numbers


def _number_of(key: str, numbers: Sequence[str], rng: random.Random) -> str:
    if not numbers:
        return stranger(rng)
    return numbers[zlib.crc32(key.encode()) % len(numbers)] if key else rng.choice(numbers)


def _habits_of(row: LogRow, curve: "Curve", rng: random.Random) -> PlannedCall:
    """How the logged caller behaves, wherever he calls from and to."""
    known_s = row.get("patience_s")
    patience_s = (
        draw_patience_s(curve, _int(row, "wait_s"), rng) if known_s is None else _int(row, "patience_s")
    )
    leaves_in_menu = row["outcome"] == "left_in_menu"
    return PlannedCall(
        from_="",
        to="",
        key_delay_ms=rng.randrange(600, 3_000),
        menu_ms=min(MENU_LEAVE_MS_MAX, _int(row, "menu_s") * 1_000) if leaves_in_menu else None,
        patience_ms=min(PATIENCE_MS_MAX, patience_s * 1_000),
        talk_ms=_talk_ms(120_000, rng) if row.get("service_s") is None else _int(row, "service_s") * 1_000,
        message=rng.choice(MESSAGES),
    )


Curve = tuple[tuple[int, float], ...]
"""(waited seconds, share of callers still patient after it), falling."""


def patience_curve(logged: Sequence[LogRow]) -> Curve:
    """Kaplan-Meier: how long callers are ready to wait, although most were answered before it was seen."""
    hang_ups: dict[int, int] = {}
    lasted: dict[int, int] = {}
    for row in logged:
        if row["outcome"] == "left_in_menu":
            continue
        known_s = row.get("patience_s")
        seen_s = _int(row, "wait_s") if known_s is None else _int(row, "patience_s")
        lasted[seen_s] = lasted.get(seen_s, 0) + 1
        if known_s is not None:
            hang_ups[seen_s] = hang_ups.get(seen_s, 0) + 1
    at_risk = sum(lasted.values())
    share, curve = 1.0, []
    for second in sorted(lasted):
        if gone := hang_ups.get(second, 0):
            share *= 1 - gone / at_risk
            curve.append((second, share))
        at_risk -= lasted[second]
    return tuple(curve)


def draw_patience_s(curve: Curve, longer_than_s: int, rng: random.Random) -> int:
    """A patience of someone who has waited that long; the ceiling where the curve says no more."""
    surviving = min((share for second, share in curve if second <= longer_than_s), default=1.0)
    drawn = rng.random() * surviving
    return next((s for s, share in curve if s > longer_than_s and share <= drawn), PATIENCE_MS_MAX // 1_000)


def _int(row: LogRow, field: str) -> int:
    value = row[field]
    if not isinstance(value, int | float):
        raise TypeError(f"{field} of a logged call is {value!r}, not a number")
    return round(value)
