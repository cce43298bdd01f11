"""The least that can answer a voice webhook: signature, one script, one document, one line in the log.

`python -m tests.bench.floor_app FD` serves it on an inherited socket with the product's own server settings.
It knows no menu, no plan, no states and no safe document: that is what the product is measured against.
"""

import asyncio
import socket
import sys
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from twilio.twiml.voice_response import VoiceResponse

from config import redis as live
from config.clock import Clock
from config.log import configure_log, get_log
from config.settings import Settings, load_settings
from config.telephony import LEG_FIELD, SIGNATURE_HEADER, TwilioTelephony
from queues.store.switchboard import site_tag

NOTE_LIFE = """
redis.call("ZADD", KEYS[1] .. ":live", ARGV[1], ARGV[2])
return redis.call("HGET", KEYS[1] .. ":call:" .. ARGV[2], "state")
"""

log = get_log(__name__)


def build(settings: Settings, redis: Any, digest: str) -> Starlette:
    telephony, clock, tag = TwilioTelephony(settings), Clock.real(), site_tag(settings.site)
    base_url = settings.public_base_url
    sdk: Any = VoiceResponse

    async def wait(request: Request) -> Response:
        began = perf_counter()
        fields = parse_qsl((await request.body()).decode(), keep_blank_values=True)
        url = f"{base_url}{request.url.path}?{request.url.query}"
        if not telephony.is_signed(url, fields, request.headers.get(SIGNATURE_HEADER, "")):
            return Response(status_code=403)
        leg_id = dict(fields)[LEG_FIELD]
        state = await redis.evalsha(digest, 1, tag, clock.now_ms(), leg_id)
        document = sdk()
        document.play(f"{base_url}/voice/hold.wav")
        document.play(f"{base_url}/voice/hold.wav")
        document.redirect(f"{base_url}/voice/wait?l=zh-CN&n=2", method="POST")
        took_ms = round((perf_counter() - began) * 1000)
        log.info("webhook", route="wait", outcome=state, status=200, took_ms=took_ms, leg_id=leg_id)
        return Response(str(document), media_type="text/xml")

    return Starlette(routes=[Route("/voice/wait", wait, methods=["POST"])])


async def serve(fd: int) -> None:
    settings = load_settings()
    configure_log(settings.log_level, settings.log_format, "floor")
    async with live.connect(settings) as redis:
        client: Any = redis
        app = build(settings, redis, await client.script_load(NOTE_LIFE))
        config = uvicorn.Config(
            app, log_config=None, access_log=False, server_header=False, proxy_headers=False
        )
        await uvicorn.Server(config).serve(sockets=[socket.socket(fileno=fd)])


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
