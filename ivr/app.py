"""The web process: everything that answers HTTP, composed in one place."""

from starlette.applications import Starlette

from config.runtime import Runtime


def build(runtime: Runtime) -> Starlette:
    """The application of one installation; `runtime` is open and stays open while the application runs."""
    raise NotImplementedError
