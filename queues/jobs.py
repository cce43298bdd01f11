"""What the workers are asked to do: ids in, one service call, nothing else."""

from config import jobs
from queues.service import tickets


def open_ticket(call_id: str) -> None:
    jobs.run(tickets.open_ticket(jobs.current_runtime(), call_id))
