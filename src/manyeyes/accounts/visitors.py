"""Where a request comes from, known just well enough to count it against a limit; kept nowhere and logged nowhere."""

from __future__ import annotations

import ipaddress

from django.conf import settings
from django.http import HttpRequest

HOME = 64
"""So many leading bits of an IPv6 address belong to one home or office, which would have addresses without end."""


def network(request: HttpRequest) -> str:
    """The address that limits count by: behind `MANYEYES_TRUSTED_PROXIES` proxies the caller's, not the proxy's own."""
    given = str(request.META.get("REMOTE_ADDR", ""))
    proxies = settings.MANYEYES_TRUSTED_PROXIES
    if proxies:
        # Each proxy appends whom it heard; what stands further left was typed by the caller and is not believed.
        heard = str(request.META.get("HTTP_X_FORWARDED_FOR", "")).split(",")
        given = heard[-proxies].strip() if len(heard) >= proxies else given
    try:
        address = ipaddress.ip_address(given)
    except ValueError:
        return given
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), HOME), strict=False))
