"""Who is told what: call progress, conference events, recordings, each to its own subscriber, in order."""

from typing import TYPE_CHECKING

from ivr.standin.calls import Call, standard_params
from ivr.standin.conferences import EVENTS, SUBSCRIBED_AS, Conference
from ivr.standin.dates import rfc2822
from ivr.standin.recordings import Recording

if TYPE_CHECKING:
    from ivr.standin.exchange import Exchange


class Reports:
    def __init__(self, exchange: "Exchange") -> None:
        self._exchange = exchange

    def of_call(self, call: Call, event: str) -> None:
        """A step of a call's life, told to whoever subscribed to it."""
        subscription = call.subscription
        if subscription is None or event not in subscription.events:
            return
        params = standard_params(call, self._exchange.account_sid)
        params |= {
            "CallStatus": "initiated" if event == "initiated" else call.status,
            "CallbackSource": "call-progress-events",
            "SequenceNumber": str(call.lane.sequence),
            "Timestamp": rfc2822(self._exchange.clock.now_ms()) or "",
        }
        if event == "completed":
            params |= self._completed_params(call)
        self._exchange.callbacks.post(call.lane, subscription, params, call.sid, call.cookies)

    def _completed_params(self, call: Call) -> dict[str, str]:
        duration_s = call.duration_s or 0
        params = {"CallDuration": str(duration_s), "Duration": str(-(-duration_s // 60))}
        if call.sip_code is not None:
            params["SipResponseCode"] = call.sip_code
        if call.recording is not None:
            for recording in self._exchange.recordings.of(call.sid):
                if recording.source == call.recording.source:
                    params |= {
                        "RecordingSid": recording.sid,
                        "RecordingUrl": self.recording_url(recording),
                        "RecordingDuration": str(max(1, round(recording.recorded_ms / 1000))),
                    }
        return params

    def of_conference(self, conference: Conference, event: str, facts: dict[str, str]) -> None:
        subscription = conference.subscription
        if subscription is None or SUBSCRIBED_AS[event] not in subscription.events:
            return
        params = {
            "ConferenceSid": conference.sid,
            "FriendlyName": conference.friendly_name,
            "AccountSid": self._exchange.account_sid,
            "StatusCallbackEvent": EVENTS[event],
            "SequenceNumber": str(self._exchange.faults.conference_sequence_first + conference.lane.sequence),
            "Timestamp": rfc2822(self._exchange.clock.now_ms()) or "",
        }
        self._exchange.callbacks.post(conference.lane, subscription, params | facts, facts.get("CallSid"))

    def of_recording(self, recording: Recording) -> None:
        subscription = recording.subscription
        if subscription is not None and recording.status in subscription.events:
            params = recording.callback_params(self._exchange.account_sid, self.recording_url(recording))
            self._exchange.callbacks.post(recording.lane, subscription, params, recording.call_sid)

    def recording_url(self, recording: Recording) -> str:
        account = f"{self._exchange.base_url}/2010-04-01/Accounts/{self._exchange.account_sid}"
        return f"{account}/Recordings/{recording.sid}"
