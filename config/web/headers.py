"""Headers that keep a page to itself: no foreign script, no frame, no guessing of types.

There are no inline scripts and no inline styles anywhere in the house; data for scripts travels in
<script type="application/json"> and data- attributes, which run nothing. What the provider is answered is no page:
no browser reads it, and callers wait for it.
"""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from config.settings import Settings

NO_PAGE: Final = "shouwen.no_page"  # in the scope of a request to which no browser reads the answer


class SecurityHeaders:
    """ASGI middleware around the whole application; a header that an answer has already stays."""

    def __init__(self, app: ASGIApp, *, settings: Settings) -> None:
        self.app = app
        self.headers = [(name.lower().encode(), value.encode()) for name, value in security_headers(settings)]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and NO_PAGE not in scope:
                headers = message.setdefault("headers", [])
                known = {name.lower() for name, _ in headers}
                headers.extend(pair for pair in self.headers if pair[0] not in known)
            await send(message)

        await self.app(scope, receive, send_with_headers)


def security_headers(settings: Settings) -> Iterable[tuple[str, str]]:
    yield "Content-Security-Policy", content_security_policy(settings)
    yield "X-Content-Type-Options", "nosniff"
    yield "X-Frame-Options", "DENY"
    yield "Referrer-Policy", "same-origin"
    yield "Cross-Origin-Opener-Policy", "same-origin"
    yield "Permissions-Policy", "camera=(), geolocation=(), microphone=(self)"
    if settings.public_base_url.startswith("https://"):
        yield "Strict-Transport-Security", "max-age=31536000"


def content_security_policy(settings: Settings) -> str:
    # A demo's desk talks to the stand-in's phones, which live on another port.
    phones = f" {_origin(settings.softphone_url)}" if settings.softphone_url else ""
    return "; ".join(
        [
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data:",
            "font-src 'self'",
            "media-src 'self' blob:",
            f"connect-src 'self'{phones}",
            "form-action 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        ]
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
