"""How instants and lengths are written on the pages: by the site's time zone and the reader's language."""

import datetime as dt
from zoneinfo import ZoneInfo


def face(for_ms: int | None) -> str:
    """A length as a clock shows it: 0:07, 12:41, 1:02:09; a dash for none."""
    if for_ms is None:
        return "–"
    minutes, seconds = divmod(max(0, for_ms) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def local(at_ms: int, zone: str) -> dt.datetime:
    return dt.datetime.fromtimestamp(at_ms / 1000, ZoneInfo(zone))


def iso(at_ms: int, zone: str) -> str:
    return local(at_ms, zone).isoformat(timespec="seconds")


def time_of_day(at_ms: int, zone: str) -> str:
    return f"{local(at_ms, zone):%H:%M:%S}"


def day_and_time(at_ms: int, zone: str, locale: str) -> str:
    """23 Nov 09:01, or 11月23日 09:01."""
    moment = local(at_ms, zone)
    if locale.startswith("zh"):
        return f"{moment.month}月{moment.day}日 {moment:%H:%M}"
    return f"{moment.day} {moment:%b} {moment:%H:%M}"


def when(at_ms: int, now_ms: int, zone: str, locale: str) -> str:
    """The same, with the year where it is not this one."""
    told = day_and_time(at_ms, zone, locale)
    year = local(at_ms, zone).year
    if year == local(now_ms, zone).year:
        return told
    if locale.startswith("zh"):
        return f"{year}年{told}"
    day, _, time = told.rpartition(" ")
    return f"{day} {year} {time}"


def full_date(at_ms: int, zone: str, locale: str) -> str:
    moment = local(at_ms, zone)
    if locale.startswith("zh"):
        return f"{moment.year}年{moment.month}月{moment.day}日 {moment:%H:%M:%S}"
    return f"{moment.day} {moment:%B} {moment.year}, {moment:%H:%M:%S}"


def read_local(text: str, zone: str) -> int:
    """An instant as a form's date-and-time field gives it, in the site's zone. Raises ValueError."""
    moment = dt.datetime.fromisoformat(text)
    if not 2000 <= moment.year <= 2200:
        raise ValueError(text)
    moment = moment.replace(tzinfo=ZoneInfo(zone)) if moment.tzinfo is None else moment
    return round(moment.timestamp() * 1000)


def for_input(at_ms: int | None, zone: str) -> str:
    """What a form's date-and-time field shows."""
    return "" if at_ms is None else f"{local(at_ms, zone):%Y-%m-%dT%H:%M}"


def date_of(at_ms: int, zone: str, locale: str) -> str:
    moment = local(at_ms, zone)
    if locale.startswith("zh"):
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {moment:%b} {moment.year}"


def month_of(at_ms: int, zone: str, locale: str) -> str:
    moment = local(at_ms, zone)
    return f"{moment.year}年{moment.month}月" if locale.startswith("zh") else f"{moment:%b} {moment.year}"
