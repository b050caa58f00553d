"""Shows URLs of stores and buses without the secrets in them."""

from __future__ import annotations

import re

# A password may hold anything, so it ends at the last @ of what it could belong to: the URL, or its word in a message.
_IN_URL = re.compile(r"(://[^:/?#@]*:).*@", re.DOTALL)
_IN_MESSAGE = re.compile(r"(://[^\s:/?#@]*:)\S*@")
# Who asks a message bus may be a token alone.
_OF_BUS = re.compile(r"\b((?:nats|tls)://)\S*@")
_PARAMETER = re.compile(r"([?&](?:password|sslpassword|listen_url)=)[^\s&'\"]*", re.IGNORECASE)


def masked_url(url: str) -> str:
    """A URL with `***` for its password; `listen_url`, which may hold one, and who asks a bus are hidden as a whole."""
    return _PARAMETER.sub(r"\1***", _IN_URL.sub(r"\1***@", _OF_BUS.sub(r"\1***@", url)))


def masked(message: str) -> str:
    """The same for every URL in a message."""
    return _PARAMETER.sub(r"\1***", _IN_MESSAGE.sub(r"\1***@", _OF_BUS.sub(r"\1***@", message)))
