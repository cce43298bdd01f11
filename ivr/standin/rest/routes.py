"""Which address is which resource."""

from starlette.routing import BaseRoute, Route

from ivr.standin.rest import (
    calls,
    conferences,
    messages,
    notifications,
    numbers,
    participants,
    queues,
    recordings,
)
from ivr.standin.rest.asking import BASE, Answer, Ask, Handler, resource

METHODS = ["GET", "POST", "DELETE", "PUT", "PATCH"]


async def _account(ask: Ask) -> Answer:
    return {"sid": ask.account_sid, "friendly_name": "stand-in", "status": "active", "type": "Full"}


def routes() -> list[BaseRoute]:
    call, conference, queue = "/Calls/{call_sid}", "/Conferences/{conference_sid}", "/Queues/{queue_sid}"
    recording, participant = "/Recordings/{recording_sid}", "/Participants/{call_sid}"
    one_recording: dict[str, Handler] = {
        "GET": recordings.fetch,
        "POST": recordings.update,
        "DELETE": recordings.delete,
    }
    return [
        _route("", {"GET": _account}),
        _route("/Calls", {"GET": calls.listed, "POST": calls.create}, 201),
        _route(call, {"GET": calls.fetch, "POST": calls.update, "DELETE": calls.delete}),
        _route(
            f"{call}/Recordings", {"GET": recordings.list_of_source, "POST": recordings.start_on_call}, 201
        ),
        _route(f"{call}{recording}", one_recording),
        _route(f"{call}/Notifications", {"GET": notifications.listed}),
        _route("/Queues", {"GET": queues.listed, "POST": queues.create}, 201),
        _route(queue, {"GET": queues.fetch, "POST": queues.update, "DELETE": queues.delete}),
        _route(f"{queue}/Members", {"GET": queues.list_members}),
        _route(queue + "/Members/{call_sid}", {"GET": queues.fetch_member, "POST": queues.pull_member}),
        _route("/Conferences", {"GET": conferences.listed}),
        _route(conference, {"GET": conferences.fetch, "POST": conferences.update}),
        _route(f"{conference}/Participants", {"GET": participants.listed, "POST": participants.create}, 201),
        _route(
            conference + participant,
            {"GET": participants.fetch, "POST": participants.update, "DELETE": participants.delete},
        ),
        _route(
            f"{conference}/Recordings",
            {"GET": recordings.list_of_source, "POST": recordings.start_on_conference},
            201,
        ),
        _route(conference + recording, one_recording),
        _route("/Recordings", {"GET": recordings.listed}),
        _route(recording, {"GET": recordings.fetch, "DELETE": recordings.delete}),
        _media(recording + ".wav"),
        _media(recording),
        _route("/Messages", {"POST": messages.create}, 201),
        _route("/Notifications", {"GET": notifications.listed}),
        _route("/Notifications/{notification_sid}", {"GET": notifications.fetch}),
        _route("/IncomingPhoneNumbers", {"GET": numbers.listed}),
        _route("/IncomingPhoneNumbers/{number_sid}", {"GET": numbers.fetch, "POST": numbers.update}),
    ]


def _route(path: str, handlers: dict[str, Handler], created: int = 200) -> Route:
    return Route(f"{BASE}{path}.json", resource(handlers, created), methods=METHODS)


def _media(path: str) -> Route:
    return Route(
        BASE + path, resource({"GET": recordings.media, "DELETE": recordings.delete}), methods=METHODS
    )
