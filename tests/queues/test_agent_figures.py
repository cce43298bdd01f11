"""Agents' figures: each has his own part, the parts add up to the house, and every count opens the very calls."""

import datetime as dt
from collections import Counter
from typing import Any

from sqlalchemy import select

from queues.domain.periods import midnight
from queues.service import agent_figures, figures, figuring
from queues.service.agent_figures import SYMBOLS, Spell
from queues.store.calls import calls, conditions
from tests.queues.hotline import Hotline
from tests.queues.test_figuring import DAY_MS, write_journal

SUMS = ("talk_ms", "held_ms", "wrap_ms")


async def test_the_agents_of_a_day_by_chance_add_up_to_the_house_and_each_count_opens_its_calls(
    hotline: Hotline,
) -> None:
    runtime, plan = hotline.runtime, hotline.plan
    await write_journal(hotline, seed=11)
    await hotline.scribe.drain()
    await figuring.drain(runtime)
    from_ms = midnight(dt.date(2026, 11, 23), plan.timezone)
    spell = Spell(from_ms, from_ms + 2 * DAY_MS)
    house = (
        await figures.read(runtime, plan, figures.Asked(from_ms=spell.from_ms, until_ms=spell.until_ms))
    ).totals
    found = await agent_figures.read(runtime, plan, spell)
    sums = sum((each.totals.counts.sums for each in found.values()), Counter[str]())
    taken_over = sum(each.taken_over for each in found.values())
    assert taken_over > 0
    assert {name: sums[name] for name in SUMS} == {name: house.counts.sums[name] for name in SUMS}
    assert sums["answered"] - taken_over == house.counts.sums["answered"]
    assert house.agents is not None
    assert sum((each.totals.agents or Counter() for each in found.values()), Counter[str]()) == house.agents
    for agent_id, report in found.items():
        by_tier = sum((each.counts.sums for each in report.by_tier.values()), Counter[str]())
        assert by_tier == report.totals.counts.sums, "his tiers add up to him"
        own = (await agent_figures.read(runtime, plan, Spell(spell.from_ms, spell.until_ms, agent_id)))[
            agent_id
        ]
        assert (own.totals, own.by_tier, own.taken_over) == (report.totals, report.by_tier, report.taken_over)
        await expect_the_lists(
            hotline, Spell(spell.from_ms, spell.until_ms, agent_id), report.totals.symbols()
        )


async def expect_the_lists(hotline: Hotline, spell: Spell, symbols: dict[str, Any]) -> None:
    async with hotline.runtime.database.read() as connection:
        for symbol in SYMBOLS:
            chosen = agent_figures.behind(hotline.runtime, spell, symbol)
            query = select(calls.c.call_id).where(*conditions(chosen))
            listed = len(list(await connection.execute(query)))
            if symbol in ("A", "H", "HC", "TC"):
                assert listed == symbols[symbol], (symbol, spell.agent_id)
            else:
                assert (0 < listed <= symbols[symbol]) if symbols[symbol] else listed == 0, symbol
