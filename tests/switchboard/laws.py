"""What holds of every state, whoever came how often and in which order."""

from dataclasses import dataclass, field

from queues.domain.calls import CallState
from queues.domain.lanes import call_id_of
from queues.domain.offers import OPEN
from queues.domain.state import State


@dataclass
class Laws:
    """Remembers what must not change: places."""

    places: dict[str, int] = field(default_factory=dict)

    def check(self, state: State) -> None:
        self._one_agent_one_call(state)
        self._lanes_hold_exactly_the_queued(state)
        self._places_are_kept(state)
        self._nobody_is_between_states(state)

    def _one_agent_one_call(self, state: State) -> None:
        open_offers = [offer for offer in state.offers.values() if offer.state in OPEN]
        assert len({offer.agent_id for offer in open_offers}) == len(open_offers)
        for offer in open_offers:
            assert state.agents[offer.agent_id].offer_id == offer.offer_id
            call = state.calls[offer.call_id]
            assert offer.offer_id == (call.consult_id if offer.asked_by else call.offer_id)
        asked = [call for call in state.calls.values() if call.consult_id]
        for call in asked:
            assert (call.state, call.held_ms is None) == (CallState.CONNECTED, False)
            assert state.agents[state.offers[call.consult_id].agent_id].call_id == call.call_id
            assert state.offers[call.consult_id].agent_id != call.agent_id
        served = [
            call for call in state.calls.values() if call.agent_id and call.state is not CallState.ENDED
        ]
        assert len({call.agent_id for call in served}) == len(served)
        for call in served:
            assert state.agents[call.agent_id].call_id == call.call_id
            assert state.agents[call.agent_id].state == call.state

    def _lanes_hold_exactly_the_queued(self, state: State) -> None:
        members = [call_id_of(member) for entries in state.lanes.values() for _, member in entries]
        assert sorted(members) == sorted(
            k for k, call in state.calls.items() if call.state is CallState.QUEUED
        )

    def _places_are_kept(self, state: State) -> None:
        self.places = {call_id: place for call_id, place in self.places.items() if call_id in state.calls}
        for call_id, call in state.calls.items():
            if call.queued_ms is not None:
                assert self.places.setdefault(call_id, call.queued_ms) == call.queued_ms

    def _nobody_is_between_states(self, state: State) -> None:
        under_way = {
            call_id
            for call_id, call in state.calls.items()
            if call.state is not CallState.ENDED and not call.is_off_line
        }
        assert set(state.live) == under_way
        promised = {
            call_id: call
            for call_id, call in state.calls.items()
            if call.has_promise and call.state is not CallState.ENDED
        }
        assert {f"callback:{call_id}" for call_id in promised} == {
            name for name in state.deadlines if name.startswith("callback:")
        }, "a promise is looked at again, and nothing else is"
        assert set(state.callbacks.values()) <= set(promised), "who holds a promise keeps it"
        rung = ("offered", "connecting", "calling")
        assert {call_id for call_id, call in promised.items() if call.state in rung} | {
            call_id for call_id, call in state.calls.items() if call.leg_id and call.state != "ended"
        } >= set(state.dialling.values()), "nobody is called by a call that has let him go"
        for call in state.calls.values():
            has_line = call.leg_id and call.state != "ended"
            assert not has_line or call.state not in ("menu", "resting", "calling", "messaging")
        ready = {agent_id for agent_id, agent in state.agents.items() if agent.state == "ready"}
        assert set(state.ready) == ready
        held = {name for name in state.deadlines if name.startswith(("offer:", "connect:"))}
        assert held <= {
            f"offer:{call.offer_id}" if call.state == "offered" else f"connect:{call.offer_id}"
            for call in state.calls.values()
            if call.state in ("offered", "connecting", "calling")
        } | {f"offer:{call.consult_id}" for call in state.calls.values()}
