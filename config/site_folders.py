"""Where a site's folder is: by its name among the hotlines of SITES_DIR, or by its path."""

import os
import re
from pathlib import Path

SHIPPED = Path(__file__).parent / "sites"
NAMED = re.compile(r"[a-z][a-z0-9_]{0,31}")
HOW_NAMED = "a short name of small letters, digits and _, beginning with a letter"


class NoSiteError(Exception):
    """There is no such folder; the message says where it was looked for and what there is."""


def sites_dir() -> Path:
    """The folder of hotlines that the environment names, or the one that comes with the product."""
    return Path(os.environ.get("SITES_DIR") or SHIPPED).expanduser().absolute()


def find(site: str) -> Path:
    """A name is looked for in SITES_DIR first and then right here; anything with a slash or a dot is a path."""
    here = Path(site).expanduser()
    is_name = here.name == site and not site.startswith(".")
    for folder in (sites_dir() / site, here) if is_name else (here,):
        if folder.is_dir():
            return folder.resolve()
    known = ", ".join(sorted(path.name for path in sites_dir().glob("*/"))) or "none"
    missing = sites_dir() / site if is_name else here.absolute()
    raise NoSiteError(f"there is no site {site!r}: no folder {missing}; there are: {known}")
