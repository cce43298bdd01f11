"""A waiting caller's webhook through the product's own web process ÷ through the floor app.

Both are processes of their own on loopback, under the same server, the same store, the same log; both are
asked the same signed requests for the same callers (200 waiting in 12 lanes) over the same few connections.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Sequence
from time import perf_counter
from urllib.parse import urlencode

from ivr.launcher import listen
from ivr.standin.signatures import sign
from tests.bench.crowd import Crowd
from tests.bench.house import ENVIRONMENT, TOKEN, House, furnished
from tests.bench.rounds import Bench, Findings, Pace, at_least, take_turns

LOOPBACK = "127.0.0.1"
CONNECTIONS = 8
WAITING, LANES = 200, 12
PATH = "/voice/wait?l=zh-CN&n=1"
READY_WITHIN_S = 60.0
OURS, FLOOR = ("-m", "ivr", "web", "--fd"), ("-m", "tests.bench.floor_app")


async def run(pace: Pace) -> Findings:
    async with furnished() as house:
        crowd = Crowd.of(house.runtime, house.plan, house.plan.site)
        await crowd.gather(waiting=WAITING, lanes=LANES, agents=0)
        await crowd.has_heard_its_places()
        requests = [request(call_id) for call_id in await crowd.call_ids()]
        async with serving(house, "web", OURS) as ours, serving(house, "floor", FLOOR) as floor:
            heard = [await each.ask(requests[0]) for each in (ours, floor)]
            assert verbs(heard[0]) == verbs(heard[1]), heard
            some = requests[: pace.of(WAITING, WAITING // 2, CONNECTIONS)]
            rounds = await take_turns(
                lambda: ours.ask_all(some),
                lambda: floor.ask_all(some),
                rounds=pace.rounds,
                pairs=pace.of(10, 6),
            )
            busy_ms = [await store_ms(house, each, requests) for each in (ours, floor)]
        scripts = "the script takes {:.2f} ms of the store, the floor's {:.2f}".format(*busy_ms)
        found = Findings(rounds)
        return found.noting(f"a webhook each {1000 / found.ours:.2f} ms, {1000 / found.floor:.2f}; {scripts}")


async def store_ms(house: House, server: "Server", requests: Sequence[bytes]) -> float:
    """What one webhook keeps the live store busy."""
    before_ms = await house.scripts_busy_ms()
    await server.ask_all(requests)
    return (await house.scripts_busy_ms() - before_ms) / len(requests)


def request(call_id: str) -> bytes:
    """One signed webhook, as it stands on the wire."""
    form = {
        "CallSid": call_id,
        "AccountSid": ENVIRONMENT["TWILIO_ACCOUNT_SID"],
        "From": "+8613800138000",
        "To": "+8657195598000",
        "CallStatus": "in-progress",
        "Direction": "inbound",
        "ApiVersion": "2010-04-01",
        "QueueSid": "QU00000000000000000000000000000001",
        "QueuePosition": "3",
        "QueueTime": "40",
        "AvgQueueTime": "35",
        "CurrentQueueSize": "12",
    }
    body = urlencode(form).encode()
    head = (
        f"POST {PATH} HTTP/1.1\r\nHost: hotline.example\r\nUser-Agent: TwilioProxy/1.1\r\nAccept: */*\r\n"
        f"X-Twilio-Signature: {sign(TOKEN, ENVIRONMENT['PUBLIC_BASE_URL'] + PATH, form)}\r\n"
        f"Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def verbs(document: str) -> list[str]:
    return re.findall(r"<(\w+)", document)


class Line:
    """One kept connection; a request at a time. A server closes it when it was idle for some seconds."""

    def __init__(self, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.port, self.reader, self.writer = port, reader, writer

    @classmethod
    async def open(cls, port: int) -> "Line":
        return cls(port, *await asyncio.open_connection(LOOPBACK, port))

    def close(self) -> None:
        self.writer.close()

    async def ask(self, wire: bytes) -> str:
        if self.reader.at_eof():
            self.close()
            self.reader, self.writer = await asyncio.open_connection(LOOPBACK, self.port)
        self.writer.write(wire)
        head = await self.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
        assert length is not None, head
        return (await self.reader.readexactly(int(length[1]))).decode()


class Server:
    def __init__(self, lines: Sequence[Line]) -> None:
        self.lines = lines

    async def ask(self, wire: bytes) -> str:
        return await self.lines[0].ask(wire)

    async def ask_all(self, requests: Sequence[bytes]) -> list[float]:
        """Requests a second, over all lines at once."""
        left = list(requests)

        async def keep_asking(line: Line) -> None:
            while left:
                await line.ask(left.pop())

        began = perf_counter()
        await asyncio.gather(*(keep_asking(line) for line in self.lines))
        return [len(requests) / (perf_counter() - began)]


@contextlib.asynccontextmanager
async def serving(house: House, name: str, words: Sequence[str]) -> AsyncIterator[Server]:
    """A process that serves, and lines to it that have been answered once each."""
    with contextlib.closing(listen(LOOPBACK, 0)) as listener:
        fd, port = listener.fileno(), listener.getsockname()[1]
        async with house.process(name, (*words, str(fd)), fds=(fd,)), contextlib.AsyncExitStack() as closing:
            lines = []
            for _ in range(CONNECTIONS):
                lines.append(line := await Line.open(port))
                closing.callback(line.close)
            warm = request("CA-nobody")
            async with asyncio.timeout(READY_WITHIN_S):
                await asyncio.gather(*(line.ask(warm) for line in lines))
            yield Server(lines)


BENCH = Bench(
    name="voice_hop",
    what="a waiting caller's webhook ÷ the same through the floor app",
    unit="1/s",
    limit=at_least(0.8),
    run=run,
)
