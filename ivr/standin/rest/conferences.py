"""Conferences: look, list, end, announce."""

from ivr.standin.conferences import Conference
from ivr.standin.rest.asking import Answer, ApiError, Ask
from ivr.standin.rest.instants import in_time
from ivr.standin.rest.paging import page


async def fetch(ask: Ask) -> Answer:
    return find(ask).as_json(ask.account_sid)


async def update(ask: Ask) -> Answer:
    """End it, or let everybody in it hear something."""
    conference = find(ask)
    if ask.has("Status"):
        if ask.one("Status") != "completed":
            raise ApiError(400, 20001, "Status can only become completed")
        conference.end("conference-ended-via-api", ask.exchange.clock.now_ms())
    announcement = ask.target("AnnounceUrl", "AnnounceMethod")
    if announcement is not None:
        for participant in conference.participants.values():
            participant.announcement = announcement
            conference.look_again(participant)
    return conference.as_json(ask.account_sid)


async def listed(ask: Ask) -> Answer:
    conferences = [one for one in reversed(ask.exchange.conferences.by_sid.values()) if _is_wanted(ask, one)]
    return page(
        ask, "conferences", conferences, lambda one: one.sid, lambda one: one.as_json(ask.account_sid)
    )


def _is_wanted(ask: Ask, conference: Conference) -> bool:
    if ask.query("FriendlyName") and ask.query("FriendlyName") != conference.friendly_name:
        return False
    if ask.query("Status") and ask.query("Status") != conference.status:
        return False
    return in_time(ask, "DateCreated", conference.created_ms) and in_time(
        ask, "DateUpdated", conference.updated_ms or conference.created_ms
    )


def find(ask: Ask) -> Conference:
    """By sid; where a participant is asked for, a live conference's name will do too."""
    name = ask.path("conference_sid")
    conference = ask.exchange.conferences.by_sid.get(name) or ask.exchange.conferences.live(name)
    if conference is None:
        raise ask.not_found()
    return conference
