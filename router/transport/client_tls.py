"""The TLS contexts with which subgraphs are asked: one for each way in which settings say that they are known."""

from __future__ import annotations

import ssl
from functools import cache

from router.settings import SettingsError, SubgraphTls


@cache
def client_context(settings: SubgraphTls) -> ssl.SSLContext | None:
    """Verifies names and chains; None where the system's authorities are all that the settings ask for. Raises
    SettingsError where a file cannot be used.
    """
    if settings.ca is None and settings.certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=settings.ca)
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"traffic_shaping: tls: {settings.ca or settings.certificate}: {error}") from None
    return context
