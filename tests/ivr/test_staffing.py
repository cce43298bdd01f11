"""People from the terminal: who is added twice changes nobody, and a seat says where it rings."""

import argparse

import pytest

from config.runtime import Runtime
from ivr import staffing
from queues.service.people import agents_of_site


def asked(login: str, **given: str) -> argparse.Namespace:
    return argparse.Namespace(
        **{"login": login, "role": "agent", "name": "", "skills": "", "phone": "", **given}
    )


async def test_an_agent_has_an_account_and_a_seat(runtime: Runtime) -> None:
    told = await staffing.add(
        runtime, asked("wang", name="王敏", skills="general,outage", phone="+8613800001111")
    )
    assert "wang (agent) may sign in" in told
    assert "Calls for general, outage ring +8613800001111." in told
    assert "wang" in await staffing.show(runtime, asked(""))


async def test_a_name_that_is_taken_changes_nothing(runtime: Runtime) -> None:
    await staffing.add(runtime, asked("wang", phone="+8613800001111"))
    before = await agents_of_site(runtime)
    for again in (asked("wang", phone="+8613900009999"), asked("Wang", role="qa")):
        with pytest.raises(staffing.StaffingError, match="there is an account"):
            await staffing.add(runtime, again)
    assert await agents_of_site(runtime) == before


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"phone": ""}, "--phone"),
        ({"phone": "12345"}, "--phone"),
        ({"phone": "+8613800001111", "skills": "juggling"}, "--skills: there is no skill named 'juggling'"),
        ({"role": "qa", "phone": "+8613800001111"}, "--phone, --skills: only agents"),
    ],
)
async def test_a_wrong_argument_is_named_and_nobody_is_made(
    runtime: Runtime, given: dict[str, str], told: str
) -> None:
    with pytest.raises(staffing.StaffingError, match=told):
        await staffing.add(runtime, asked("li", **given))
    assert await agents_of_site(runtime) == []
    assert "nobody yet" in await staffing.show(runtime, asked(""))


async def test_our_own_number_is_nobodys_telephone(runtime: Runtime) -> None:
    own = next(iter(runtime.settings.hotline_numbers.values()))
    with pytest.raises(staffing.StaffingError, match="it would ring in our own menu"):
        await staffing.add(runtime, asked("li", phone=own))
