"""The policy for its readers: history, one version, differences, copies to keep; drafts are absent."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from manyeyes.programs import openpgp, policy, targets
from tests.people import Cast, make_cast, submit

pytestmark = pytest.mark.django_db
PAGE = "/p/wicket/policy/"


@pytest.fixture
def cast() -> Cast:
    """Two versions, and a draft that nobody may read."""
    cast = make_cast()
    policy.publish(policy.draft(cast.program, rewards="We pay nothing, and say thank you."))
    policy.draft(cast.program, rewards="A secret plan.")
    return cast


def page(path: str = "") -> str:
    """What anybody reads there."""
    answer = Client().get(PAGE + path)
    assert answer.status_code == 200, path
    return str(answer.content.decode())


def test_the_history_names_versions_dates_and_changes(cast: Cast) -> None:
    told = page()
    for words in ("Version 2", "Version 1", "in force now", "the first version", "Rewards", "from=1&amp;to=2"):
        assert words in told, words
    assert "Version 3" not in told
    assert "secret plan" not in told


def test_an_old_version_says_that_it_is_old_and_which_cases_keep_it(cast: Cast) -> None:
    told = page("1/")
    assert "A newer version is in force" in told
    assert "Reports sent under this one keep it." in told
    assert "This is the version that holds for a report sent today." in page("2/")


def test_differences_are_told_in_words_and_marks(cast: Cast) -> None:
    told = page("changes/?from=1&to=2")
    assert '<del><span class="sr">[taken out: </span>' in told
    assert '<ins><span class="sr">[put in: </span>' in told
    assert page("changes/?from=2&to=1") == told, "the older one always comes first"
    plain = Client().get(f"{PAGE}changes.txt?from=1&to=2")
    assert plain["Content-Type"].startswith("text/plain")
    assert "{+" in plain.content.decode()
    assert "Nothing differs" in page("changes/?from=2&to=2")


def test_copies_to_keep(cast: Cast) -> None:
    text = Client().get(f"{PAGE}2/policy.md")
    assert text["Content-Type"] == "text/plain; charset=utf-8"
    assert "## Safe harbor" in text.content.decode()
    data = json.loads(Client().get(f"{PAGE}2/policy.json").content)
    assert (data["version"], data["scope"][0]["system"], data["promises"]["embargo_days"]) == (2, "Wicket", 90)


@pytest.mark.parametrize(
    "path",
    ["3/", "0/", "3/policy.md", "2/policy.exe", "changes/?from=1&to=3", "changes.txt?from=1", f"{'9' * 30}/"],
)
def test_what_was_never_in_force_is_absent(cast: Cast, path: str) -> None:
    assert Client().get(PAGE + path).status_code == 404


@pytest.mark.parametrize(
    "query", ["", "?from=1", "?from=x&to=1", "?from=%00&to=1", "?from=-1&to=2", f"?from={'9' * 40}&to=1"]
)
def test_a_comparison_of_nothing_leads_to_the_history(cast: Cast, query: str) -> None:
    answer = Client().get(f"{PAGE}changes/{query}")
    assert (answer.status_code, answer["Location"]) == (302, PAGE)


def test_the_policy_of_a_private_program_is_absent(cast: Cast) -> None:
    cast.program.state = "private"
    cast.program.save()
    for path in ("", "1/", "1/policy.md", "changes/?from=1&to=2", "changes.txt?from=1&to=2"):
        assert Client().get(PAGE + path).status_code == 404, path


def test_a_program_without_a_policy_says_so() -> None:
    cast = make_cast()
    type(cast.program.policy).objects.filter(program=cast.program).update(published_at=None)
    assert "No version was published yet." in page()


def test_the_researcher_reads_which_version_holds_and_what_changed_since() -> None:
    cast = make_cast()
    case = submit(cast)
    browser = Client()
    browser.force_login(cast.rhea, backend="allauth.account.auth_backends.AuthenticationBackend")
    before = browser.get(f"/my/{case.ref}/").content.decode()
    assert "Policy version 1</a> was in force when you sent it" in before
    assert "is in force since" not in before
    policy.publish(policy.draft(cast.program, rewards="We pay nothing, and say thank you."))
    after = browser.get(f"/my/{case.ref}/").content.decode()
    assert "Version 2 is in force since. It differs in: Rewards." in " ".join(after.split())
    assert f"{PAGE}changes/?from=1&amp;to=2" in after


def test_the_program_page_shows_what_protects_you_in_the_words_of_the_policy() -> None:
    make_cast()
    told = " ".join(Client().get("/p/wicket/").content.decode().split())
    assert "Level 5 of 5 on the public maturity scale" in told
    assert "It cannot read intentions." in told
    assert "<li>We do not suspend or ban an account because of research under this policy. If a filter" in told
    for link in ("/api/", "/p/wicket/policy/1/policy.json", "/p/wicket/disclose.json", "/.well-known/security.txt"):
        assert f'href="{link}"' in told, link
    assert "a word from a person while your case is open" in told
    assert "Flooding, spam, and tests" in told, "what is out of scope stands there without a line of its own"


def test_no_page_boasts_of_a_policy_that_takes_its_promises_back() -> None:
    cast = make_cast()
    turned = cast.program.policy.safe_harbor.replace("We will not sue you", "We may sue you")
    policy.publish(policy.draft(cast.program, safe_harbor=turned))
    told, rules = Client().get("/p/wicket/").content.decode(), page("2/")
    for text in (told, rules):
        assert "of 5" not in text
        assert "the linter finds errors" in text
    assert 'class="ticks two"' not in told
    assert "We may sue you" in told, "the policy itself stands there instead"
    assert "level 5 of 5" in page("1/")


def test_the_first_two_doors_lead_to_two_places() -> None:
    cast = make_cast()
    told = Client().get("/p/wicket/").content.decode()
    assert 'href="/p/wicket/report/?without=account"' in told
    assert 'href="/accounts/login/?next=/p/wicket/report/"' in told
    browser = Client()
    browser.force_login(cast.rhea, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert "Sign in and report" not in browser.get("/p/wicket/").content.decode()
    assert "Report without an account" not in browser.get("/p/wicket/").content.decode()


def test_security_txt_is_shown_as_machines_read_it() -> None:
    cast = make_cast()
    assert "Encryption key" not in Client().get("/p/wicket/").content.decode()
    openpgp.make_key(cast.program, by=cast.lena)
    told = Client().get("/p/wicket/").content.decode()
    assert "-----BEGIN PGP SIGNED MESSAGE-----" in told
    assert "signed with the program&#x27;s key" in told or "signed with the program's key" in told
    assert 'href="/p/wicket/openpgp.asc"' in told


def test_the_first_line_of_a_scope_names_a_marker() -> None:
    cast = make_cast()
    targets.add_target(cast.program, name="Postern", access="manual", in_scope="Postern")
    targets.add_target(cast.program, name="Thicket", access="api", in_scope="Thicket")
    policy.publish(policy.draft(cast.program))
    told = " ".join(Client().get("/p/wicket/").content.decode().split())
    word = cast.program.research_marker
    assert f'Postern: put this into the name of your test account <code class="copy">{word}</code>' in told
    assert f'Thicket: send this header with each call <code class="copy">X-Research: {word}</code>' in told
