"""Is the process at PROBE_URL ready? Exit status 0 or 1, for an image's health check: the image has no curl.

Run as `python -m deploy.probe`; imports nothing but the standard library, so that it costs 50 ms of CPU and not a second.
"""

import os
import sys
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE_SECONDS = 3.0


def main() -> int:
    """0 where a GET of PROBE_URL is answered with 200; everything else is 1, and says why on standard error."""
    url = os.environ.get("PROBE_URL", "http://127.0.0.1:8080/ready")
    if not url.startswith(("http://", "https://")):
        print(f"PROBE_URL must be an http or https URL, not {url!r}", file=sys.stderr)
        return 1
    try:
        with urlopen(url, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310 - the scheme was looked at above  # nosec B310
            return 0 if answer.status == 200 else 1
    except (URLError, OSError) as error:
        print(f"{url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
