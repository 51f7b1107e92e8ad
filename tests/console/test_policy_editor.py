"""The policy's editor over HTTP: nothing typed is lost, two editors see one another, what is published stays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from manyeyes import events
from manyeyes.demo.browser import Form, _page
from manyeyes.programs import policy, scope
from manyeyes.rules.policy_templates import SECTIONS
from tests.people import Cast, make_case

As = Callable[[str], Client]
EDITOR, PREVIEW, SCOPE = (f"/desk/program/wicket/policy/{part}" for part in ("", "preview/", "scope/"))
HOSTILE = "<script>alert(1)</script> [go](javascript:alert(1)) \u202egnp.exe"


def form_of(response: Any, action: str) -> Form:
    """The form of a page that leads to this address."""
    forms = _page("/", response.status_code, response.content).forms
    return next(form for form in forms if form.action == action and len(form.values) > 2)


def held(browser: Client) -> dict[str, str]:
    """What the fields of the editor hold."""
    return {name: str(value) for name, value in form_of(browser.get(EDITOR), EDITOR).values.items() if value}


def test_a_draft_is_stored_looked_at_and_published(cast: Cast, as_: As) -> None:
    lena, case = as_("lena"), make_case(cast, at="new")
    typed = {**held(lena), "promises": "- A person answers within 24 hours.", "first_response_hours": "24"}
    answer = lena.post(EDITOR, {**typed, "do": "preview"})
    assert (answer.status_code, answer["Location"]) == (302, PREVIEW)
    seen = lena.get(PREVIEW).content.decode()
    assert "<del>" in seen
    assert "within 24 hours" in seen
    publish = form_of_publish(lena)
    assert lena.post(PREVIEW, publish).status_code == 302
    cast.program.refresh_from_db()
    assert cast.program.policy is not None
    assert (cast.program.policy.number, cast.program.first_response_hours) == (2, 24)
    case.refresh_from_db()
    assert case.policy_version is not None
    assert case.policy_version.number == 1, "the case keeps the version it came under"
    kinds = [row.kind for row in events.log(f"program:{cast.program.pk}")]
    assert kinds.count("policy.published") == 2


def form_of_publish(browser: Client) -> dict[str, str]:
    """The version and the edit that the preview speaks of."""
    forms = _page("/", 200, browser.get(PREVIEW).content).forms
    found = next(form for form in forms if "revision" in form.values)
    return {name: str(value) for name, value in found.values.items()}


def test_publishing_what_was_changed_since_it_was_read_is_refused(cast: Cast, as_: As) -> None:
    lena, ada = as_("lena"), as_("ada")
    lena.post(EDITOR, {**held(lena), "summary": "One."})
    read = form_of_publish(lena)
    ada.post(EDITOR, {**held(ada), "summary": "Two."})
    assert lena.post(PREVIEW, read).status_code == 409
    assert cast.program.policies.filter(published_at__isnull=False).count() == 1


def test_two_editors_at_once_see_both_texts_and_lose_nothing(cast: Cast, as_: As) -> None:
    lena, ada = as_("lena"), as_("ada")
    first, second = held(lena), held(ada)
    assert (
        ada.post(EDITOR, {**second, "rewards": "Ada wrote: we pay nothing.", "embargo_days": "60"}).status_code == 302
    )
    answer = lena.post(EDITOR, {**first, "rewards": "Lena wrote: no money here."})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Two people edited at once" in page
    assert "Days until publishing is free: theirs <b>60</b>, yours <b>90</b>" in page
    assert '<a href="#id_rewards">Rewards</a>' in page
    assert "Lena wrote: no money here." in page
    assert "Ada wrote: we pay nothing." in re.sub(r"</?mark>", "", page)
    assert policy.editing(cast.program).texts["rewards"] == "Ada wrote: we pay nothing."
    again = {name: str(value) for name, value in form_of(answer, EDITOR).values.items() if value}
    taken = lena.post(EDITOR, {**again, "do": "take:rewards"})
    assert form_of(taken, EDITOR).values["rewards"] == "Ada wrote: we pay nothing."
    assert lena.post(EDITOR, again).status_code == 302, "the second time is meant"
    assert policy.editing(cast.program).texts["rewards"] == "Lena wrote: no money here."


def test_a_look_stores_nothing_and_keeps_what_was_typed(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    typed = {**held(lena), "safe_harbor": "We decide at our sole discretion.", "embargo_days": "x"}
    page = lena.post(EDITOR, {**typed, "do": "look"}).content.decode()
    assert "Level 2 of 5" in page
    assert "sole discretion" in page
    assert "Error:" not in page
    assert cast.program.policies.count() == 1


def test_a_missing_clause_is_put_in_with_the_words_of_the_template(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    bare = {**held(lena), "ai_research": "- **Shared flaws.** You may tell other vendors."}
    page = lena.post(EDITOR, {**bare, "do": "look"}).content.decode()
    assert 'value="insert:ai_training"' in page
    answer = lena.post(EDITOR, {**bare, "do": "insert:ai_training"})
    assert answer["Location"] == f"{EDITOR}#id_ai_research"
    assert "We do not train models" in policy.editing(cast.program).texts["ai_research"]


def test_a_template_fills_the_fields_and_stores_nothing(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    answer = lena.post(EDITOR, {**held(lena), "do": "fill:bounty"})
    fields = form_of(answer, EDITOR).values
    assert "We pay for new flaws in scope" in str(fields["rewards"])
    assert policy.editing(cast.program).row is None


@pytest.mark.parametrize("wrong", [{"embargo_days": "0"}, {"decision_hours": "-3"}, {"summary": "x" * 20_001}])
def test_what_cannot_be_used_is_named_and_stays_in_the_form(cast: Cast, as_: As, wrong: dict[str, str]) -> None:
    lena = as_("lena")
    answer = lena.post(EDITOR, {**held(lena), **wrong})
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "There is a problem" in page
    assert next(iter(wrong.values()))[:2000] in page
    assert policy.editing(cast.program).row is None


def test_hostile_words_are_text_on_every_page(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    lena.post(EDITOR, {**held(lena), **dict.fromkeys(SECTIONS, HOSTILE)})
    scope.save_line(cast.program, None, text="<img src=x onerror=alert(1)>", versions="<b>2</b>")
    for address in (EDITOR, PREVIEW, SCOPE):
        page = lena.get(address).content.decode()
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address
        assert 'href="javascript' not in page, address
    lena.post(PREVIEW, form_of_publish(lena))
    for address in ("", "policy/", "policy/2/", "policy/changes/?from=1&to=2"):
        page = as_("nobody").get(f"/p/wicket/{address}").content.decode()
        assert "<script>alert" not in page, address
        assert "<img src=x" not in page, address


def test_a_line_of_the_scope_is_added_changed_moved_and_taken_out(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    given = {
        "target": str(cast.target.pk), "in_scope": "yes", "text": "Leaks caused by mail it reads", "marker": "header",
        "versions": "2.3 and later", "calls_per_day": "2000", "calls_at_once": "2", "kind_PI-I": "most",
        "kind_EV": "out", "severity_max": "High", "do": "save",
    }  # fmt: skip
    assert lena.post(f"{SCOPE}new/", given).status_code == 302
    row = cast.program.scope.get(text="Leaks caused by mail it reads")
    page = lena.get(SCOPE).content.decode()
    for words in ("2.3 and later", "at most 2,000 calls a day", "Indirect prompt injection", "Not in force yet"):
        assert words in page, words
    assert "2.3 and later" not in as_("nobody").get("/p/wicket/").content.decode(), "not before it is published"
    lena.post(f"{SCOPE}{row.pk}/", {"do": "up"})
    assert next(item.pk for item in cast.program.scope.all()) == row.pk
    lena.post(PREVIEW, form_of_publish(lena))
    public = as_("nobody").get("/p/wicket/").content.decode()
    assert "2.3 and later" in public
    assert f"X-Research: {cast.program.research_marker}" in public
    lena.post(f"{SCOPE}{row.pk}/", {"do": "remove"})
    assert not cast.program.scope.filter(pk=row.pk).exists()
    assert "2.3 and later" in as_("nobody").get("/p/wicket/").content.decode(), "what is published stays"


def test_two_people_at_one_line(cast: Cast, as_: As) -> None:
    lena, row = as_("lena"), cast.program.scope.get()
    given = {"target": str(cast.target.pk), "in_scope": "yes", "marker": "none", "revision": "0", "do": "save"}
    assert lena.post(f"{SCOPE}{row.pk}/", {**given, "text": "Hers"}).status_code == 302
    answer = as_("ada").post(f"{SCOPE}{row.pk}/", {**given, "text": "His"})
    page = answer.content.decode()
    assert answer.status_code == 409
    assert "Hers" in page
    assert "His" in page
    row.refresh_from_db()
    assert row.text == "Hers"
    scope.remove_line(row)
    assert as_("ada").post(f"{SCOPE}{row.pk}/", {**given, "text": "His"}).status_code == 404


def test_a_line_must_make_sense(cast: Cast, as_: As) -> None:
    wrong = {"in_scope": "yes", "marker": "none", "calls_per_day": "0", "text": "", "do": "save"}
    answer = as_("lena").post(f"{SCOPE}new/", wrong)
    assert answer.status_code == 422
    assert "There is a problem" in answer.content.decode()
    assert cast.program.scope.count() == 1


@pytest.mark.parametrize("who", ["theo", "mina", "aud", "pia"])
def test_the_rest_of_the_team_reads_the_draft_and_changes_nothing(cast: Cast, as_: As, who: str) -> None:
    browser = as_(who)
    assert browser.get(PREVIEW).status_code == 200
    assert browser.get(EDITOR).status_code == 403
    assert browser.post(PREVIEW, {"number": "2", "revision": "0"}).status_code == 403
    assert browser.post(f"{SCOPE}{cast.program.scope.get().pk}/", {"do": "remove"}).status_code == 403
    assert (cast.program.policies.count(), cast.program.scope.count()) == (1, 1)


def test_nothing_new_is_not_published(cast: Cast, as_: As) -> None:
    lena = as_("lena")
    told = lena.get(PREVIEW).content.decode()
    assert "Nothing differs from version 1, so there is nothing to publish." in told
    assert "Publish version 2" not in told
    refused = lena.post(PREVIEW, {"number": "2", "revision": "0"})
    assert refused.status_code == 409
    assert "Nothing differs from the version in force" in refused.content.decode()
    assert cast.program.policies.count() == 1, "no draft is left behind"
    scope.save_line(cast.program, None, text="The help pages", in_scope=True)
    assert "Publish version 2" in lena.get(PREVIEW).content.decode(), "a line of the scope is a change"
    assert lena.post(PREVIEW, {"number": "2", "revision": "0"}).status_code == 302
