"""The provider's webhook signature, by our own code.

HMAC-SHA1 over the URL as requested (no fragment, no userinfo, over https no port) followed by every form
field name and value in byte order of the names; Base64. It must not borrow the SDK's code: it is there to
find our mistakes in using the SDK.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit


def signed_url(url: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if parts.scheme == "https" and parts.port is not None:
        host = host.rpartition(":")[0]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def sign(auth_token: str, url: str, form: Mapping[str, str]) -> str:
    text = signed_url(url) + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()
