"""What a program's token opens. Nothing about a person is told without a scope that names it."""

from enum import StrEnum
from typing import Final


class Scope(StrEnum):
    FIGURES = "figures"  # figures, metric cards, the plan's queues, tiers, departments and lines
    LIVE = "live"  # how many wait and how many agents there are, this moment
    METRICS = "metrics"  # /metrics
    CALLS = "calls"  # call records: stamps and lengths, numbers masked
    AGENTS = "agents"  # which agent it was, the agents' names, and figures by agent
    CUSTOMERS = "customers"  # whole numbers, customers' ids and names; each look is written down


GIVEN: Final = (Scope.FIGURES, Scope.LIVE, Scope.METRICS)  # where none is named
PERSONAL: Final = frozenset({Scope.AGENTS, Scope.CUSTOMERS})
