"""What the workers are asked to do: ids in, one service call, nothing else."""

from config import jobs
from recordings.service import recordings


def fetch_audio(recording_id: str) -> None:
    jobs.run(recordings.fetch_audio(jobs.current_runtime(), recording_id))
