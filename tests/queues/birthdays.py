"""A power site that may keep birthdays of those who consent."""

import shutil
from dataclasses import replace
from pathlib import Path

from config.runtime import Runtime
from tests.queues.outlets import at_site

FIELD = """
  birthday: {name: {zh: 生日, en: Birthday}, type: date, personal: true, needs_consent: true}
"""


def with_birthdays(runtime: Runtime, folder: Path) -> Runtime:
    """The same house with such a site; its files are in this folder."""
    site = shutil.copytree(runtime.settings.sites_dir / "power", folder / "power")
    path = site / "customers.yaml"
    path.write_text(path.read_text("utf-8").replace("attributes:\n", f"attributes:{FIELD}", 1), "utf-8")
    settings = replace(runtime.settings, sites_dir=folder)
    return at_site(replace(runtime, settings=settings), "power")
