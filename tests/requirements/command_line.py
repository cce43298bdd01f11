"""`shouwen`, typed by an operator of the house under test.

In this process, with the environment of an installation and nothing of the test's own: starting an interpreter costs
more than most commands do. That the command starts as a process is held by tests/ivr/test_reload.py and
tests/simulation/test_demo.py.
"""

import asyncio
import contextlib
import gc
import io
import os
from dataclasses import dataclass
from unittest.mock import patch

from config.log import configure_log
from config.runtime import Runtime
from ivr import cli
from tests.installation import environ_of


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


async def shouwen(runtime: Runtime, *words: str) -> Said:
    """Run one command to its end, on a thread and a loop of its own."""
    out, err = io.StringIO(), io.StringIO()

    def run() -> int:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                return cli.main(words)
            except SystemExit as refused:  # by the parser of the command line
                return int(refused.code or 0)

    with patch.dict(os.environ, environ_of(runtime.settings), clear=True):
        try:
            code = await asyncio.to_thread(run)
        finally:  # what the command does to its own process is not meant for this one
            configure_log("debug", "json")
            gc.unfreeze()
    return Said(code, out.getvalue(), err.getvalue())
