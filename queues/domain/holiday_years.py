"""The public holidays and make-up workdays (调休) of a country, a year at a time.

What a government has not announced yet is not known here either: such a year has its holidays as far as they follow
from the calendar, and no make-up workdays.
"""

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import holidays

_YEARS_BEFORE: Final = 15  # some of which any country has announced


@dataclass(frozen=True, slots=True)
class HolidayYear:
    holidays: frozenset[dt.date]
    workdays: frozenset[dt.date]  # days of a weekend that are worked in exchange for a holiday


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    return frozenset(holidays.list_supported_countries(include_aliases=False))


def is_known(country: str) -> bool:
    return country in _countries()


@lru_cache(maxsize=64)
def year_of(country: str, year: int) -> HolidayYear:
    # The next year is asked too: what is worked for New Year may lie in December.
    known = holidays.country_holidays(country, years=[year, year + 1])
    return HolidayYear(
        frozenset(day for day in known if day.year == year),
        frozenset(day for day in known.weekend_workdays if day.year == year),
    )


def is_announced(country: str, year: int) -> bool:
    """Whether this year's make-up workdays are known; a country that never has any has told all there is."""
    has_had = any(year_of(country, before).workdays for before in range(year - 1, year - _YEARS_BEFORE, -1))
    return not has_had or bool(_own_workdays(country, year))


@lru_cache(maxsize=64)
def _own_workdays(country: str, year: int) -> frozenset[dt.date]:
    """Those that this year's own announcement names, not the next one's."""
    known = holidays.country_holidays(country, years=[year])
    return frozenset(day for day in known.weekend_workdays if day.year == year)
