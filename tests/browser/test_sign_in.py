"""The team signs in with a second factor: a code from an app, or a passkey; without one the console stays shut."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import struct
import time

from tests.browser.conftest import Open
from tests.browser.eyes import Eyes
from tests.browser.site import Site

STEP = 30


def code_for(secret: str) -> str:
    """The six digits an authenticator app would show now (RFC 6238), never in the last moments of their time."""
    if STEP - time.time() % STEP < 3:
        time.sleep(3.1)
    key = base64.b32decode(secret + "=" * (-len(secret) % 8))
    digest = hmac.new(key, struct.pack(">Q", int(time.time()) // STEP), hashlib.sha1).digest()
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 10**6:06}"


def give_password(window: Eyes, name: str, to: str) -> None:
    """Ask for a page, be asked who one is, say so."""
    window.go(to)
    assert window.path == "/accounts/login/"
    window.fill("login", window.site.people[name]["email"])
    window.fill("password", window.site.password)
    window.press_and_wait("Enter")


def go_again(window: Eyes, path: str) -> None:
    """Open a page that wants the password once more before it changes how one signs in."""
    window.go(path)
    assert window.path == "/accounts/reauthenticate/"
    window.fill("password", window.site.password)
    window.press_and_wait("Enter")
    assert window.path == path, window.words()[:800]


def sign_in(window: Eyes, name: str, *, to: str) -> None:
    """Address, password, code."""
    give_password(window, name, to)
    assert window.path == "/accounts/2fa/authenticate/", window.words()[:800]
    if window.focused().get("name") != "code":
        window.tab_to(name="code")
    window.page.keyboard.type(code_for(window.site.totp))
    window.press_and_wait("Enter")
    assert window.path == to, window.words()[:800]


def test_a_new_member_sets_up_codes_before_the_console_opens(eyes: Open, site: Site) -> None:
    finn = eyes()
    give_password(finn, "finn", "/desk/")
    assert finn.path == "/accounts/2fa/"
    assert "/accounts/2fa/totp/activate/" in finn.page.content()
    go_again(finn, "/accounts/2fa/totp/activate/")
    shown = re.search(r"\b[A-Z2-7]{32}\b", finn.page.content())
    assert shown is not None
    finn.fill("code", code_for(shown.group()))
    finn.press_and_wait("Enter")
    assert finn.path.startswith("/accounts/2fa/"), finn.words()[:800]
    finn.go("/desk/")
    assert finn.page.inner_text("h1")


def test_passkey_is_added_and_opens_the_console(eyes: Open, site: Site) -> None:
    ada = eyes()
    chrome = ada.context.new_cdp_session(ada.page)
    chrome.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
        "isUserVerified": True, "automaticPresenceSimulation": True,
    }  # fmt: skip
    authenticator = chrome.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]
    give_password(ada, "ada", "/desk/")
    go_again(ada, "/accounts/2fa/webauthn/add/")
    ada.fill("name", "Laptop")
    ada.tab_to(tag="input", type="checkbox")
    ada.press("Space")
    ada.tab_to(id="mfa_webauthn_add")
    ada.press_and_wait("Enter")
    kept = chrome.send("WebAuthn.getCredentials", {"authenticatorId": authenticator})["credentials"]
    assert len(kept) == 1, ada.words()[:800]
    ada.go("/desk/")
    ada.tab_to(words="Sign out")
    ada.press_and_wait("Enter")
    ada.go("/desk/")
    assert ada.path == "/accounts/login/"
    ada.tab_to(words="Sign in with a passkey")
    ada.press_and_wait("Enter")
    ada.page.wait_for_url(f"{site.base}/desk/")
    assert "Ada T." in ada.words()
