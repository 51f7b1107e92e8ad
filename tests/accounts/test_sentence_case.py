"""The pages of sign-in are written as all others here: a capital begins a line, not every word of it."""

from __future__ import annotations

import gettext
import re
from importlib import resources
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation import gettext as translated

from manyeyes.accounts.people import create_account

CATALOGUE = Path(str(resources.files("manyeyes"))) / "locale" / "en" / "LC_MESSAGES"
ALLAUTH = Path(str(resources.files("allauth")))
PASSWORD = "a long enough passphrase"
SPOKEN = (
    r"{%-?\s*(?:translate|trans)\s+([\"'])(.*?)\1",
    r"\b_\(\s*([\"'])(.*?)\1",
    r"({%-?)\s*blocktrans(?:late)?[^%]*%}(.*?){%",
)
PAGES = (
    "login", "signup", "password/reset", "email", "password/change", "reauthenticate", "logout", "2fa", "2fa/webauthn",
)  # fmt: skip


def titled(said: str) -> bool:
    """Whether a short line has capitals in its midst, as a title."""
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", said)
    return (
        1 < len(words) < 7
        and not re.search(r"\.|\? ", said)
        and any(re.match(r"[A-Z][a-z']", word) for word in words[1:])
    )


def spoken() -> set[str]:
    """What allauth says on the pages that are in use here."""
    found = set()
    for part in ("account", "mfa"):
        for file in (*(ALLAUTH / "templates" / part).rglob("*"), *(ALLAUTH / part).rglob("*.py")):
            if file.suffix in (".html", ".txt", ".py") and not {"tests", "phone"} & set(file.parts):
                text = file.read_text(encoding="utf-8")
                found |= {said for one in SPOKEN for _, said in re.findall(one, text, re.DOTALL)}
    return found


def rows() -> dict[str, str]:
    text = (CATALOGUE / "django.po").read_text(encoding="utf-8")
    return dict(re.findall(r'^msgid "(.+)"\nmsgstr "(.+)"$', text, re.MULTILINE))


def test_the_compiled_catalogue_is_that_of_the_source() -> None:
    with (CATALOGUE / "django.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    assert len(rows()) > 50
    assert {said: compiled.gettext(said) for said in rows()} == rows()


def test_every_titled_line_of_the_installed_package_is_in_it() -> None:
    found = {said for said in spoken() if titled(said) and "hone" not in said}
    assert found - set(rows()) == set()


def test_what_stands_in_its_place_is_no_title() -> None:
    assert [said for said in rows().values() if titled(said)] == []
    assert translated("Sign In") == "Sign in"


@pytest.mark.django_db
def test_no_page_of_sign_in_has_titles() -> None:
    create_account(email="rhea@larkfield.example", handle="rhea_k", password=PASSWORD)
    inside, outside = Client(), Client()
    inside.post("/accounts/login/", {"login": "rhea@larkfield.example", "password": PASSWORD})
    seen = []
    for name in PAGES:
        for browser in (inside, outside):
            page = browser.get(f"/accounts/{name}/")
            if page.status_code == 200:
                main = page.content.decode().partition("<main")[2].partition("</main>")[0]
                lines = [" ".join(part.split()) for part in re.split(r"<[^>]*>", main)]
                lines += re.findall(r'placeholder="([^"]*)"', main)
                seen.append(name)
                assert [line for line in lines if titled(line)] == [], name
    assert set(seen) == set(PAGES)
