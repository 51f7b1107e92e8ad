"""Which network addresses belong to the public internet: what a target may have, and what may be connected to."""

from __future__ import annotations

import ipaddress

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def public(address: Address) -> bool:
    """Whether an address belongs to the public internet; an IPv4 one carried inside IPv6 is judged as itself.

    >>> [public(ipaddress.ip_address(one)) for one in ("127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::", "9.9.9.9")]
    [False, False, False, True]
    """
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(inner)
    return address.is_global and not address.is_multicast
