"""The recordings' chores for the clock process, and all that read the journal up to here."""

from typing import Final

from queues.clockwork import Chore
from queues.service import abandoned, history
from recordings.service import recordings

READERS: Final = (history.READER, abandoned.READER, recordings.READER)


def own_chores() -> tuple[Chore, ...]:
    return (
        Chore("sweep_audio", 5.0, recordings.sweep),
        Chore("give_up_audio", 60.0, recordings.give_up),
        Chore("miss_recordings", 2.0, recordings.miss),
    )
