"""An import that gets stuck in one of its steps, for tests that kill it there: `STEP FILE`."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

from config.runtime import open_runtime
from config.settings import load_settings
from queues.service import customer_index as showing
from queues.service import imports
from queues.store import customer_index
from queues.store import imports as store
from tests.queues.stuck import get_stuck

# What is stopped in each step is the first thing that is done in it.
STEPS: dict[str, tuple[Any, str]] = {
    "staged": (store, "note_twice"),
    "files moved": (store.Merge, "_keep_changes"),
    "committed": (imports, "show_live"),
    "index half made": (customer_index, "file_pages"),
    "index made": (customer_index, "swap"),
    "index swapped": (customer_index, "clear"),
    "changes read": (customer_index, "put_delta"),
}


async def stuck(*_anything: Any, **_more: Any) -> None:
    await get_stuck()


async def stuck_pages(*_anything: Any) -> Any:
    await get_stuck()
    yield {}


async def run(step: str, path: Path) -> None:
    place, name = STEPS[step]
    setattr(place, name, stuck_pages if name.endswith("pages") else stuck)
    if step.startswith("index"):
        showing.CHANGES_AT_ONCE = 0  # type: ignore[misc]  # as after an import of a million
    async with open_runtime(load_settings(os.environ)) as runtime:
        await imports.import_table(runtime, path, imports.Options(origin="killed"))


if __name__ == "__main__":
    asyncio.run(run(sys.argv[1], Path(sys.argv[2])))
