"""What the workers are asked to do: ids in, one service call, nothing else."""

from config import jobs
from ivr.service import trial_work


def play_trial(trial_id: str) -> None:
    jobs.run(trial_work.begin(jobs.current_runtime(), trial_id))
