"""A surge in one reader's words: for the notices page and the desks of whoever is on call."""

from queues.domain.surges import Running
from queues.web.times import time_of_day
from queues.web.words import Words


def surge_words(running: Running, words: Words) -> str:
    """Since when, where, and how many it takes."""
    about = running.about
    since = time_of_day(running.begun_ms, words.plan.timezone)[:5]
    if about.queue:
        return words.t("surge.queue", at=since, queue=words.queue(about.queue), limit=about.limit)
    told = {"area": words.area(about.area), "matter": words.matter(about.matter)}
    return words.t("surge.area", at=since, **told, limit=about.limit)
