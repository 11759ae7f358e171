"""AWS Signature Version 4, as S3 and what speaks its protocol ask for it: a signature in a header, over an empty body.

Source: AWS, "Signature Version 4 signing process" and "Authenticating Requests: Using the Authorization Header".
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from urllib.parse import quote, unquote, urlsplit

from router.settings import AwsCredentials

EMPTY = sha256(b"").hexdigest()
ALGORITHM = "AWS4-HMAC-SHA256"


def signed_headers(
    credentials: AwsCredentials, url: str, further: Mapping[str, str] | None = None, at: datetime | None = None
) -> dict[str, str]:
    """The headers of a GET of `url`, which has no query, with its signature; `further` ones are signed with them."""
    parts = urlsplit(url)
    stamp = (at or datetime.now(UTC)).strftime("%Y%m%dT%H%M%SZ")
    headers = {**(further or {}), "host": parts.netloc, "x-amz-content-sha256": EMPTY, "x-amz-date": stamp}
    if credentials.session_token is not None:
        headers["x-amz-security-token"] = credentials.session_token.get_secret_value()
    lowered = {name.lower(): value.strip() for name, value in headers.items()}
    names = ";".join(sorted(lowered))
    path = quote(unquote(parts.path) or "/", safe="/-_.~")
    canonical = "\n".join(["GET", path, "", *(f"{name}:{lowered[name]}" for name in sorted(lowered)), "", names, EMPTY])
    scope = f"{stamp[:8]}/{credentials.region}/s3/aws4_request"
    to_sign = "\n".join([ALGORITHM, stamp, scope, sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{credentials.secret_access_key.get_secret_value()}".encode()
    for part in (stamp[:8], credentials.region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["Authorization"] = (
        f"{ALGORITHM} Credential={credentials.access_key_id}/{scope},SignedHeaders={names},Signature={signature}"
    )
    return headers
