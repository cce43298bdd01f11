"""The installation that a test's stores are, told to a process that is started beside it."""

import os

from config.settings import Settings
from tests.conftest import ENVIRONMENT


def environ_of(settings: Settings, **more: str) -> dict[str, str]:
    """Everything that such a process needs to find the same site and the same stores."""
    return {
        **os.environ,
        **ENVIRONMENT,
        "SITES_DIR": str(settings.sites_dir),
        "SITE": settings.site,
        "STATE_DIR": str(settings.state_dir),
        "REDIS_URL": settings.redis_url or "",
        "DATABASE_URL": settings.database_url or "",
        **more,
    }
