"""The stand-in's process: one account's exchange and, where the file says so, the people on its lines."""

import argparse
import asyncio
import json
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from config.log import configure_log, get_log
from ivr.standin import people
from ivr.standin.app import Alongside, build
from ivr.standin.exchange import Exchange
from ivr.standin.options import Options, options_from

STOP_WITHIN_S = 3


def main() -> None:
    words = _words()
    configure_log("info", "auto", "standin")
    document = json.loads(Path(words.config).read_text(encoding="utf-8"))
    scenario = document.pop("people", None)
    asyncio.run(_serve(_options(document, words), scenario))


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="ivr.standin", description="A small telephone company for demos and tests."
    )
    parser.add_argument("--host")
    parser.add_argument("--port", type=int)
    parser.add_argument("--config", required=True)
    return parser.parse_args()


def _options(document: Mapping[str, Any], words: argparse.Namespace) -> Options:
    options = options_from(document)
    host, port = words.host or options.host, options.port if words.port is None else words.port
    return replace(options, host=host, port=port, public_url=options.public_url or f"http://{host}:{port}")


async def _serve(options: Options, scenario: Mapping[str, Any] | None) -> None:
    exchange = Exchange(options)
    app = build(exchange, more_routes=people.people_routes(), alongside=_alongside(exchange, scenario))
    server = _Server(
        uvicorn.Config(
            app,
            host=options.host,
            port=options.port,
            log_level="warning",
            access_log=False,
            lifespan="on",
            timeout_graceful_shutdown=STOP_WITHIN_S,
            timeout_keep_alive=30,
        )
    )
    print(f"stand-in exchange at {options.public_url}", flush=True)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, server.stop)
    await server.serve()


class _Server(uvicorn.Server):
    """Leaves signals to the loop and stops when told to: a stop that was asked for is no failure."""

    def stop(self) -> None:
        self.should_exit = True

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _alongside(exchange: Exchange, scenario: Mapping[str, Any] | None) -> Alongside | None:
    if scenario is None:
        return None

    async def live() -> None:
        try:
            await people.run(exchange, exchange.clock, scenario)
        except Exception as fault:
            get_log(__name__).error("people.failed", exc_info=fault)
            raise

    return live


if __name__ == "__main__":
    main()
