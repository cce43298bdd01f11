"""Hearing a recording: streamed from the vault by us, by right, and written down."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from config.runtime import Runtime
from config.web.accounts import Account, require
from recordings.domain.recordings import Recording
from recordings.service import recordings

REVIEWERS: Final = frozenset({"qa", "supervisor", "admin"})


@require()
async def recording_audio(request: Request) -> Response:
    """The audio, whole or in the ranges that a player asks for. Who may not hear it learns nothing of it."""
    runtime: Runtime = request.app.state.runtime
    account: Account = request.state.account
    recording = await recordings.find_recording(runtime, request.path_params["recording_id"])
    if recording is None or not await may_hear(runtime, account, recording):
        raise HTTPException(404)
    playback = await recordings.open_playback(runtime, recording, account.account_id)
    if playback is None:
        raise HTTPException(404)
    return FileResponse(
        playback.path,
        media_type="audio/wav",
        filename=f"{recording.recording_id}.wav",
        content_disposition_type="inline",
        headers={"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"},
    )


async def may_hear(runtime: Runtime, account: Account, recording: Recording) -> bool:
    """Reviewers hear every call, an agent hears his own."""
    return account.role in REVIEWERS or await recordings.is_of_agent(runtime, recording, account.agent_id)


def routes() -> list[BaseRoute]:
    path = "/recordings/{recording_id}/audio"
    return [Route(path, recording_audio, methods=["GET"], name="recording_audio")]
