"""Addresses of the public internet, and those that only look like one."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from manyeyes.plugins.builtin.targets.openai_chat import OpenAIChat
from manyeyes.plugins.protocols import TargetError
from manyeyes.rules.addresses import public

HIDDEN = (
    "127.0.0.1",
    "169.254.169.254",
    "::1",
    "fd00::1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "64:ff9b::7f00:1",
    "224.0.0.1",
)


@pytest.mark.parametrize("address", HIDDEN)
def test_what_is_not_public_is_refused_where_the_connection_is_made_too(address: str) -> None:
    assert not public(ip_address(address))
    host = f"[{address}]" if ":" in address else address
    with pytest.raises(TargetError):
        OpenAIChat(url=f"https://{host}/v1", model="wicket", private_ok=False)


@pytest.mark.parametrize("address", ["9.9.9.9", "2620:fe::fe", "64:ff9b::909:909"])
def test_the_public_internet_is_open(address: str) -> None:
    assert public(ip_address(address))
