"""What was deleted goes from the disk as well, not only out of sight.

Two files of the state directory remember what was: the live store's append-only file, until it is written anew
from what is there now, and the log of SQLite, until it has been taken into the database and cut to nothing. (In the
database itself deleted rows are written over with zeros; see ``config.database``.) On servers of one's own, which
keep copies we do not know of, this does what a client may ask for and no more.
"""

import asyncio
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError
from sqlalchemy import Connection

from config.database import Database
from config.log import get_log

log = get_log(__name__)

REWRITE_S: Final = 60.0  # real
LOOK_S: Final = 0.05
BUSY_MS: Final = 250  # writers wait meanwhile


async def rewrite_store_log(redis: Redis) -> bool:
    """Write the append-only file anew; False when it has to be tried again, which a refusal is not."""
    before = await _persistence(redis)
    if not before["aof_enabled"]:
        return True
    try:
        await redis.bgrewriteaof()
    except ResponseError as fault:
        # Another process rewrites it, and may have begun before what is to be erased was deleted.
        if "in progress" in str(fault):
            return False
        log.warning("erasing.store_refuses", fault=str(fault))
        return True
    for _ in range(round(REWRITE_S / LOOK_S)):
        await asyncio.sleep(LOOK_S)
        now = await _persistence(redis)
        if not now["aof_rewrite_in_progress"] and not now["aof_rewrite_scheduled"]:
            status = now["aof_last_bgrewrite_status"]
            if status != "ok":
                log.warning("erasing.rewrite_failed", status=status)
            return bool(status == "ok")
    log.warning("erasing.rewrite_takes_long", seconds=REWRITE_S)
    return False


async def _persistence(redis: Redis) -> dict[str, Any]:
    return dict(await redis.info("persistence"))


async def empty_database_log(database: Database) -> bool:
    """Take SQLite's log into the database and cut it; False while somebody still reads what is in it."""
    if not database.is_sqlite:
        return True
    async with database.engine.connect() as connection:
        return await connection.run_sync(_cut_log)


def _cut_log(connection: Connection) -> bool:
    """Beside SQLAlchemy, which would begin a transaction first."""
    cursor = connection.connection.cursor()
    cursor.execute("PRAGMA busy_timeout")
    (usual_ms,) = cursor.fetchone() or (0,)
    try:
        cursor.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (is_busy, *_) = cursor.fetchone() or (1,)
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {int(usual_ms)}")
        cursor.close()
    return not is_busy
