"""What is wrong with a value, in the reader's language.

Rows and values are read where no reader is known and say what is wrong in plain English, as a command line prints it.
Each of those sentences is known here by its pattern; one that is not known is shown as it is.
"""

import re
from typing import Final

from queues.web.words import Words

_PATTERNS: Final = (
    (r"is missing", "missing"),
    (r"is needed, and the file has none", "needed"),
    (r"may be kept only with consent.*", "consent"),
    (r"is longer than (?P<most>\d+) characters", "long"),
    (r"'(?P<value>.*)' is not a number such as .*", "number"),
    (r"'(?P<value>.*)' is not a date such as .*", "date"),
    (r"'(?P<value>.*)' is no day of the calendar", "day"),
    (r"'(?P<value>.*)' is neither yes nor no.*", "yes_no"),
    (r"'(?P<value>.*)' is none of (?P<known>.*)", "choice"),
    (r"'(?P<value>.*)' is not a telephone number", "phone"),
    (r"has more than (?P<most>\d+) numbers", "numbers"),
    (r"has more than (?P<most>\d+) persons", "persons"),
    (r"gives '(?P<value>.*)' to two persons.*", "two_persons"),
    (r"'(?P<value>.*)' is not: name \| role.*", "contact"),
    (r"'(?P<value>.*)' does not begin with a name", "contact_name"),
    (r"there is no agent named '(?P<value>.*)'", "agent"),
    (r"there is no (?:area|language|tier) named '(?P<value>.*)' \((?P<known>.*)\)", "choice"),
    (r"'(?P<value>.*)' is no field of this site's customers.*", "column"),
    (r"is no field of this site's customers", "field"),
    (r"two columns give this field", "column_twice"),
    (r"there is no column with the account number.*", "no_account_column"),
    (r"names '(?P<value>.*)' twice", "name_twice"),
    (r"the account number is also in another row.* (?P<row>\d+)", "row_twice"),
    (r"has more cells than there are headings", "cells"),
    (r".*It is neither text nor an XLSX workbook\.", "no_table"),
    (r".*It is a packed file, but no XLSX workbook\.", "no_table"),
    (r".*Its first row should name the columns, and is empty\.", "no_headings"),
    (r".*Its text is in none of .*", "encoding"),
    (r".*Near row (?P<row>\d+): .*", "near_row"),
    (r".*It is not here any more.*", "gone"),
    (r"It could not be worked through.*", "unworked"),
    (r"a file keeps its account number", "keeps_account"),
)
_KNOWN: Final = tuple((re.compile(pattern, re.DOTALL), key) for pattern, key in _PATTERNS)


def fault_in_words(what: str, words: Words) -> str:
    for pattern, key in _KNOWN:
        if found := pattern.fullmatch(what):
            return words.t(f"customers.fault.{key}", **found.groupdict())
    return what


def named_fault(field: str, what: str, words: Words) -> str:
    """The fault with the field it is in, as one sentence."""
    told = fault_in_words(what, words)
    return words.t("customers.fault.in", field=words.field(field), what=told) if field else told
