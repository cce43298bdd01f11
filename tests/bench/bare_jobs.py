"""The job of the floor beside `ticket`: one row, one commit, on the worker's own loop and database."""

from sqlalchemy import Column, MetaData, Table, Text, insert

from config import jobs
from config.database import Database

rows = Table("bench_rows", MetaData(), Column("id", Text, primary_key=True))


async def commit(database: Database, row_id: str) -> None:
    async with database.transaction() as connection:
        await connection.execute(insert(rows).values(id=row_id))


def commit_row(row_id: str) -> None:
    jobs.run(commit(jobs.current_runtime().database, row_id))
