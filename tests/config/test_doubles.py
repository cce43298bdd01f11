"""The doubles of this suite keep to what they stand for."""

import inspect

import pytest

from config.telephony import LegGone, LegStatus, ProviderUnreachable, Telephony
from tests.doubles import GOOD_SIGNATURE, TelephonyDouble


def asked(kind: type) -> dict[str, list[tuple[str, object, object]]]:
    methods = inspect.getmembers(kind, inspect.isfunction)
    return {
        name: [(each.name, each.kind, each.default) for each in inspect.signature(method).parameters.values()]
        for name, method in methods
        if not name.startswith("_")
    }


def test_the_double_can_be_asked_exactly_as_the_provider_can() -> None:
    double = asked(TelephonyDouble)
    assert {name: double.get(name) for name in asked(Telephony)} == asked(Telephony)


async def test_the_double_keeps_books_and_a_second_pull_of_one_caller_fails(
    telephony: TelephonyDouble,
) -> None:
    telephony.arrive("CAcaller")
    leg_id = await telephony.place(
        to="client:amy", from_="+8657195598000", url="https://a", status_url="https://s", timeout_s=15
    )
    assert [(leg.leg_id, leg.to) for leg in telephony.placed] == [(leg_id, "client:amy")]
    await telephony.pull("power", "CAcaller", "https://c")
    with pytest.raises(LegGone):
        await telephony.pull("power", "CAcaller", "https://c")
    assert telephony.pulled == [("power", "CAcaller", "https://c")]

    recording_id = await telephony.record("CAcaller", "https://r")
    assert [facts.recording_id for facts in await telephony.recordings_of("CAcaller")] == [recording_id]

    await telephony.hang_up(leg_id)
    await telephony.hang_up(leg_id)  # gone is a success
    with pytest.raises(LegGone):
        await telephony.redirect(leg_id, "https://d")
    assert [leg.leg_id for leg in await telephony.legs(status=LegStatus.IN_PROGRESS)] == ["CAcaller"]
    assert telephony.is_signed("https://a", {}, GOOD_SIGNATURE)
    assert not telephony.is_signed("https://a", {}, "forged")


async def test_the_double_fails_when_told_to_and_then_does_not(telephony: TelephonyDouble) -> None:
    telephony.fail("hang_up", ProviderUnreachable("no answer"), times=2)
    for _ in range(2):
        with pytest.raises(ProviderUnreachable):
            await telephony.hang_up("CA1")
    await telephony.hang_up("CA1")
    assert telephony.hung_up == ["CA1"]
