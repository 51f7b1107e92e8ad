"""By which address a visitor is counted against a limit."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import RequestFactory

from manyeyes.accounts.visitors import network


@pytest.mark.parametrize(
    ("proxies", "heard", "sender", "counted"),
    [
        (0, "", "198.51.100.7", "198.51.100.7"),
        (0, "203.0.113.9", "198.51.100.7", "198.51.100.7"),
        (1, "203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (1, "1.1.1.1, 203.0.113.9", "10.0.0.1", "203.0.113.9"),
        (2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "10.0.0.1", "203.0.113.9"),
        (2, "203.0.113.9", "10.0.0.1", "10.0.0.1"),
        (0, "", "2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64"),
        (0, "", "2001:db8:1:2:bbbb::9", "2001:db8:1:2::/64"),
        (0, "", "::ffff:198.51.100.7", "198.51.100.7"),
        (1, "not an address", "10.0.0.1", "not an address"),
    ],
)
def test_the_callers_network_counts_and_not_what_the_caller_types(
    settings: Any, proxies: int, heard: str, sender: str, counted: str
) -> None:
    settings.MANYEYES_TRUSTED_PROXIES = proxies
    headers = {"x-forwarded-for": heard} if heard else {}
    assert network(RequestFactory().get("/", REMOTE_ADDR=sender, headers=headers)) == counted
