"""A site's words with a few numbers changed: for trying a change that nobody has written down yet.

The changed words are read as a folder's are, so whatever `shouwen check` refuses is refused here, at the same place.
"""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from config.site_files import SiteFiles
from ivr.simulation.terms import CEILING, HEAD_START
from queues.domain.faults import Fault, SiteFaults

KNOBS = (HEAD_START, CEILING)


def changed_words(files: SiteFiles, tiers: Mapping[str, Mapping[str, int]]) -> SiteFiles:
    """The words with these seconds for these tiers; the same words when there are none.

    Raises SiteFaults for a tier that is not there.
    """
    if not tiers:
        return files
    customers = copy.deepcopy(files.documents["customers"])
    for tier, knobs in tiers.items():
        if tier not in customers.get("tiers", {}):
            where = files.where(("customers", "tiers"))
            raise SiteFaults([Fault(where, f"tiers.{tier}", f"there is no tier named '{tier}'")])
        customers["tiers"][tier] |= {knob: f"{seconds}s" for knob, seconds in knobs.items()}
    told = json.dumps({name: dict(knobs) for name, knobs in tiers.items()}, sort_keys=True)
    mark = hashlib.sha256(told.encode()).hexdigest()[:6]
    documents = MappingProxyType({**files.documents, "customers": customers})
    return replace(files, documents=documents, version=f"{files.version}+{mark}")


def knob_of(fault: Fault) -> tuple[str, str] | None:
    """The tier and the number that a fault is about, if it is one of those that can be changed here."""
    parts = fault.path.split(".")
    if len(parts) >= 2 and parts[0] == "tiers":
        return parts[1], parts[2] if len(parts) > 2 and parts[2] in KNOBS else CEILING
    return None
