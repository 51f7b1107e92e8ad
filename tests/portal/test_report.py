"""Sending a report over HTTP: without account, cookie or script; errors keep what was typed; the receipt leads back."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from manyeyes.accounts.models import Person
from manyeyes.cases import triage
from manyeyes.cases.models import Case, Report
from manyeyes.demo.browser import _page
from manyeyes.programs.models import Program
from tests.people import REPRODUCER, STEPS, TITLE, Cast
from tests.portal.test_pages import HOSTILE, sound

As = Callable[[str], Client]
PAGE = "/p/wicket/report/"
KEPT = {"happened": "It told me the code.", "steps": STEPS, "impact": "Anybody may act as staff."}


@pytest.fixture(autouse=True)
def no_limits_before() -> None:
    """The limits count per process; each test starts at zero."""
    cache.clear()


def answers(cast: Cast, **changes: str) -> dict[str, str]:
    """The eight answers of somebody who stays anonymous."""
    given = {
        "target": str(cast.target.pk), "vuln_class": "HC", "title": TITLE, **KEPT, "counted": "counted", "claim_k": "7",
        "claim_n": "10", "identity": "anonymous", "submission": str(uuid4()),
    }  # fmt: skip
    return {name: value for name, value in {**given, **changes}.items() if value is not None}


def typed(response: Any) -> dict[str, str]:
    """What stands in the fields of the report form on this page."""
    form = next(one for one in _page("/", response.status_code, response.content).forms if "report/" in one.action)
    return dict(form.values)


def digits_of(response: Any) -> str:
    """The receipt on the page."""
    found = re.search(r'class="receipt".*?</p>', response.content.decode(), re.S)
    return " ".join(re.findall(r"<span>(\d{4})</span>", found.group())) if found else ""


def test_an_anonymous_report_and_the_way_back(cast: Cast) -> None:
    sender = Client()
    assert not sender.get(PAGE).cookies
    sent = sender.post(PAGE, answers(cast))
    assert sent.status_code == 201
    digits = digits_of(sent)
    assert re.fullmatch(r"(\d{4} ){5}\d{4}", digits)
    case = Case.objects.get()
    assert case.ref in sound(sent)
    assert (case.reporter.kind, case.reporter.email) == (Person.Kind.RECEIPT, None)
    assert case.reports.get().steps == STEPS
    triage.ask_researcher(case, by=cast.mina, text="At which temperature?")

    later = Client()
    assert not later.get("/return/").cookies
    assert later.post("/return/", {"digits": digits.replace(" ", "-")}).status_code == 302
    assert case.ref in sound(later.get("/my/"))
    assert "At which temperature?" in sound(later.get(f"/my/{case.ref}/"))
    assert "You came with a receipt" in sound(later.get("/my/settings/"))
    assert later.post("/my/settings/", {"handle": "named"}).status_code == 404
    assert later.post(f"/my/{case.ref}/say/", {"text": "At 0.7."}).status_code == 302
    case.refresh_from_db()
    assert case.status == "new"


def test_the_check_page_keeps_everything_and_stores_nothing(cast: Cast) -> None:
    given = answers(cast, steps="line one\nline two \u200b ", temperature="0.7", reproducer=REPRODUCER)
    browser = Client()
    checked = browser.post(PAGE, {**given, "action": "check"})
    assert checked.status_code == 200
    assert not checked.cookies
    assert not Report.objects.exists()
    text = sound(checked)
    for words in ("Hidden context or secret leak", "7 of 10", "35", "93", "0.7", "System: Wicket"):
        assert words in text
    carried = typed(checked)
    assert {name: carried[name] for name in given} == {**given}
    back = browser.post(PAGE, {**carried, "action": "edit"})
    assert typed(back)["title"] == TITLE
    assert browser.post(PAGE, {**carried, "action": "send"}).status_code == 201
    assert Report.objects.get().steps.replace("\r\n", "\n") == given["steps"]


@pytest.mark.parametrize(
    ("missing", "place"),
    [
        ("target", "target"), ("vuln_class", "vuln_class"), ("title", "title"), ("happened", "happened"),
        ("steps", "steps"), ("impact", "impact"), ("counted claim_k claim_n", "counted"), ("identity", "identity"),
    ],
)  # fmt: skip
def test_each_of_the_eight_answers_is_asked_for(cast: Cast, missing: str, place: str) -> None:
    given = {name: value for name, value in answers(cast).items() if name not in missing.split()}
    response = Client().post(PAGE, given)
    assert response.status_code == 422
    text = sound(response)
    assert "<title>Error:" in text
    problems = re.search(r'id="problem".*?</ul>', text, re.S)
    assert problems is not None
    assert re.findall(r'href="#id_(\w+)"', problems.group()) == [place]
    assert f'id="id_{place}' in text, "the link leads somewhere"
    assert {name: value for name, value in typed(response).items() if name in given} == given
    assert not Case.objects.exists()


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("title", "x" * 2_000_000, "A title: this is 2,000,000 characters long"),
        ("steps", "a\x00b", "What you sent: this holds a NUL"),
        ("happened", "y" * 100_001, "100,001 characters"),
        ("claim_n", "3", "more often than you tried"),
        ("claim_k", "seven", "How often it worked: write two whole numbers"),
        ("target", "not-a-target", "Choose one of the systems"),
        ("vuln_class", "XX", "Choose the kind of flaw"),
        ("contact", "me@example.org", "stay anonymous"),
        ("reproducer", "manyeyes: reproducer/1\ntitle: [", "line 3, title"),
        ("reproducer", REPRODUCER.replace("retry_budget: 3", "retry_budget: many"), "retry_budget"),
        ("temperature", "z" * 300, "300 characters"),
        *[("temperature", said, "Temperature: write one number from 0 to 2") for said in ("warm", "nan", "-1", "2.1")],
        *[("top_p", said, "Top p: write one number above 0 and up to 1") for said in ("7", "0", "inf", "1e-1")],
        *[("max_tokens", said, "Token limit: write one whole number") for said in ("1e9", "-5", "0", "131073", "1,5")],
    ],
)
def test_a_wrong_answer_is_named_and_the_others_are_kept(cast: Cast, name: str, value: str, words: str) -> None:
    given = answers(cast, **{name: value})
    response = Client().post(PAGE, given)
    assert response.status_code == 422
    text = response.content.decode()
    assert words in html.unescape(text)
    problems = re.search(r'id="problem".*?</ul>', text, re.S)
    place = {"claim_n": "counted", "claim_k": "counted"}.get(name, name)
    assert problems is not None
    assert f'href="#id_{place}"' in problems.group()
    kept = typed(response)
    assert {other: kept.get(other) for other in given if other != name} == {
        other: told for other, told in given.items() if other != name
    }
    assert not Case.objects.exists()


def test_the_same_form_again_makes_no_second_case(cast: Cast, as_: As) -> None:
    given = answers(cast)
    first, second = Client().post(PAGE, given), Client().post(PAGE, given)
    assert (first.status_code, second.status_code) == (201, 201)
    assert Case.objects.count() == 1
    assert "was here already" in second.content.decode()
    assert Client().post("/return/", {"digits": digits_of(first)}).status_code == 422, "the digits nobody saw are void"
    assert Client().post("/return/", {"digits": digits_of(second)}).status_code == 302
    other = Client().post(PAGE, {**given, "steps": "Something else"})
    assert other.status_code == 409
    assert typed(other)["steps"] == "Something else"
    signed = {name: value for name, value in answers(cast).items() if name != "identity"}
    assert as_("rhea").post(PAGE, signed).status_code == as_("rhea").post(PAGE, signed).status_code == 201
    assert as_("eve").post(PAGE, signed).status_code == 409
    assert Case.objects.count() == 2


def test_reloading_the_receipt_page_shows_digits_that_work_and_says_which_ended(cast: Cast) -> None:
    given, browser = answers(cast), Client()
    first, again = browser.post(PAGE, given), browser.post(PAGE, given)
    assert (first.status_code, again.status_code) == (201, 201)
    assert Case.objects.count() == 1
    assert "they open nothing any more" not in sound(first)
    assert "they open nothing any more" in sound(again)
    assert Client().post("/return/", {"digits": digits_of(again)}).status_code == 302
    assert Client().post("/return/", {"digits": digits_of(first)}).status_code == 422
    assert Case.objects.get().ref in sound(browser.get("/my/"))


def test_a_second_report_in_the_same_browser_is_not_tied_to_the_first_unasked(cast: Cast) -> None:
    browser = Client()
    browser.post(PAGE, answers(cast))
    first = Case.objects.get()
    blank = browser.get(PAGE)
    assert "with a new receipt" in sound(blank)
    assert typed(blank)["identity"] == "anonymous"
    checked = browser.post(PAGE, answers(cast, title="The second", action="check"))
    assert "You stay anonymous; after sending you get a receipt" in sound(checked)
    sent = browser.post(PAGE, {**typed(checked), "action": "send"})
    assert re.fullmatch(r"(\d{4} ){5}\d{4}", digits_of(sent))
    second = Case.objects.exclude(pk=first.pk).get()
    assert second.reporter != first.reporter
    assert first.ref not in sound(browser.get("/my/")), "whoever sits here now does not read the first report"
    added = browser.post(PAGE, answers(cast, title="The third", identity="held"))
    assert (added.status_code, digits_of(added)) == (201, "")
    third = Case.objects.exclude(pk__in=[first.pk, second.pk]).get()
    assert third.reporter == second.reporter
    again = Client().post(PAGE, answers(cast, identity="held"))
    assert again.status_code == 422, "without a receipt there is nothing to add it to"


def test_the_version_stands_beside_the_system_and_is_kept_in_its_own_words(cast: Cast, as_: As) -> None:
    blank = Client().get(PAGE).content.decode()
    place = blank.index('name="app_version"')
    assert blank.index('name="target"') < place < blank.index('name="vuln_class"')
    assert "<details" not in blank[blank.index('name="target"') : place]
    assert Client().post(PAGE, answers(cast, app_version="build 4.2, Tuesday")).status_code == 201
    desk = sound(as_("theo").get(f"/desk/cases/{Case.objects.get().ref}/"))
    assert "Version, or the day it was seen" in desk
    assert "build 4.2, Tuesday" in desk


def test_the_look_before_sending_tells_what_a_pasted_reproducer_holds(cast: Cast) -> None:
    from tests.people import REPRODUCER

    page = sound(Client().post(PAGE, answers(cast, reproducer=REPRODUCER, action="check")))
    assert "Reproducer: “" in page
    assert "claims 7 of 10" in page
    assert "It counts if" in page
    wrong = {
        "reproducer": ["plain words", "a: &a [1]\nb: *a", "!!python/object/apply:os.system ['x']", "[" * 5_000],
        "target": ["<script>", "00000000-0000-0000-0000-000000000000"],
    }
    for name, values in wrong.items():
        for value in values:
            told = Client().post(PAGE, answers(cast, **{name: value}, action="check"))
            assert told.status_code == 422, value
            assert f'href="#id_{name}' in told.content.decode(), value
    told = Client().post(PAGE, answers(cast, success_how="regex", success_text="([", action="check"))
    assert told.status_code == 422
    assert "cannot be used" in sound(told)
    assert not Case.objects.exists()


def test_a_count_beside_not_counted_is_named(cast: Cast) -> None:
    told = Client().post(PAGE, answers(cast, counted="not_counted", action="check"))
    assert told.status_code == 422
    assert "or say that you did not count; not both" in sound(told)
    assert (typed(told)["claim_k"], typed(told)["claim_n"]) == ("7", "10")
    assert Client().post(PAGE, answers(cast, counted="not_counted", claim_k="", claim_n="")).status_code == 201


def test_the_own_reference_is_shown_to_whoever_gave_it(cast: Cast) -> None:
    browser = Client()
    assert "RK-2027-04" in sound(browser.post(PAGE, answers(cast, own_ref="RK-2027-04", action="check")))
    browser.post(PAGE, answers(cast, own_ref="RK-2027-04"))
    assert "RK-2027-04" in sound(browser.get(f"/my/{Case.objects.get().ref}/"))


def test_whoever_likes_says_how_severe_it_is_and_both_sides_see_it(cast: Cast, as_: As) -> None:
    browser = Client()
    blank = browser.get(PAGE).content.decode()
    assert blank.count("(optional") >= 2
    assert "8 required answers" in blank
    own = {"own_band": "Critical", "own_why": "One question is enough."}
    looked = browser.post(PAGE, answers(cast, **own, action="check"))
    assert "How severe to you: Critical" in sound(looked)
    assert "One question is enough." in sound(looked)
    again = browser.post(PAGE, answers(cast, **own, action="edit"))
    assert (typed(again)["own_band"], typed(again)["own_why"]) == tuple(own.values())
    assert "You rate it <b>Critical</b>" in sound(browser.post(PAGE, answers(cast, **own)))
    case = Case.objects.get()
    told = sound(as_("theo").get(f"/desk/cases/{case.ref}/"))
    assert "Reporter says <b>Critical</b>; ours is open" in told
    assert "You said: <b>Critical</b>" in sound(browser.get(f"/my/{case.ref}/severity/"))
    refused = browser.post(PAGE, answers(cast, own_why="About a nine."))
    assert (refused.status_code, typed(refused)["own_why"]) == (422, "About a nine.")
    assert "Choose the word that fits as well" in sound(refused)
    assert "You rate it" not in sound(browser.post(PAGE, answers(cast)))


def test_digits_can_be_copied_where_scripts_run(cast: Cast) -> None:
    page = Client().post(PAGE, answers(cast)).content.decode()
    assert re.search(r'<button type="button" class="btn" data-copy="digits"[^>]* hidden>', page), (
        "without scripts: none"
    )
    assert "js/copy.js" in page


def test_an_account_reports_as_itself(cast: Cast, as_: As) -> None:
    response = as_("rhea").post(PAGE, {name: value for name, value in answers(cast).items() if name != "identity"})
    assert response.status_code == 201
    assert digits_of(response) == ""
    assert Case.objects.get().reporter == cast.rhea


def test_hostile_answers_stay_text_on_every_step(cast: Cast) -> None:
    given = answers(cast, title=HOSTILE[:150], happened=HOSTILE, steps=HOSTILE, impact=HOSTILE, own_ref=HOSTILE[:90])
    browser = Client()
    for step in (browser.post(PAGE, {**given, "action": "check"}), browser.post(PAGE, {**given, "impact": ""})):
        text = sound(step)
        assert "<script>alert" not in text
        assert "<img src=x" not in text
    assert "<script>alert" not in sound(browser.post(PAGE, given))


def test_the_link_without_account_starts_anonymous(cast: Cast) -> None:
    assert typed(Client().get(f"{PAGE}?without=account")).get("identity") == "anonymous"
    assert "identity" not in typed(Client().get(PAGE))


@pytest.mark.parametrize("typed_digits", ["", "1234", "0000 0000 0000 0000 0000 0000", "x" * 24, "9" * 5_000, "\x00"])
def test_wrong_digits_get_one_answer(cast: Cast, typed_digits: str) -> None:
    response = Client().post("/return/", {"digits": typed_digits})
    assert response.status_code == 422
    assert not response.cookies
    shape = re.sub(r'value="[^"]*"|aria-[\w-]+="[^"]*"', "", sound(response))
    assert "No case belongs to these digits" in shape


def test_a_flood_of_one_source_waits_in_a_tray_and_is_refused_to_nobody(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_REPORTS_PER_HOUR = 1
    first, late = Client().post(PAGE, answers(cast)), Client().post(PAGE, answers(cast, title="The second"))
    assert (first.status_code, late.status_code) == (201, 201)
    assert digits_of(late)
    assert [case.deferred_at is not None for case in Case.objects.order_by("created_at")] == [False, True]


def test_the_limits_of_returning_answer_in_words(cast: Cast) -> None:
    for _ in range(30):
        Client().post("/return/", {"digits": "12"})
    limited = Client().post("/return/", {"digits": "12"})
    assert limited.status_code == 429
    assert "Too many tries" in sound(limited)


def test_where_many_share_one_address_all_may_come_back(cast: Cast, settings: Any) -> None:
    settings.MANYEYES_TRIES_PER_HOUR = 60
    digits = digits_of(Client().post(PAGE, answers(cast)))
    for _ in range(40):
        Client().post("/return/", {"digits": "12"})
        Client().post(PAGE, {"action": "resume", "code": "12"})
    assert Client().post("/return/", {"digits": digits}).status_code == 302
    settings.MANYEYES_TRIES_PER_HOUR = 3
    saved = [Client().post(PAGE, {"title": "x", "action": "save"}).status_code for _ in range(13)]
    assert saved == [200] * 12 + [422]
    assert [Client().get("/join/none/").status_code for _ in range(2)] == [404, 404]


def test_a_form_of_another_site_is_refused(cast: Cast) -> None:
    for page in (PAGE, "/return/"):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            assert Client().post(page, answers(cast), headers=headers).status_code == 403
    assert not Case.objects.exists()


def test_a_paused_program_says_so(cast: Cast) -> None:
    Program.objects.update(state=Program.State.PAUSED)
    text = sound(Client().get(PAGE))
    assert "takes no reports at the moment" in text
    assert "<textarea" not in text
    assert "takes no reports at the moment" in sound(Client().get("/p/wicket/"))
    assert Client().post(PAGE, answers(cast)).status_code == 409
    assert not Case.objects.exists()


def test_the_pages_of_an_account_lead_nobody_to_a_console_they_have_not(as_: As) -> None:
    where = "/accounts/password/change/"
    assert 'href="/desk/"' not in as_("rhea").get(where).content.decode()
    assert 'href="/desk/"' in as_("theo").get(where).content.decode()


def test_what_no_machine_can_try_is_said_before_sending_with_what_helps(cast: Cast) -> None:
    told = sound(Client().post(PAGE, answers(cast, action="check")))
    assert "There is no reproducer that a machine could try." in told
    assert "manyeyes replay finding.poc.yaml --target YOUR-URL --model NAME --bundle evidence.zip" in told
    assert "Keep a log by hand" in told
    by_hand = REPRODUCER.replace('{canary: "BLUE-HERON-42"}', '{human: "Is the code there?"}')
    told = sound(Client().post(PAGE, answers(cast, reproducer=by_hand, action="check")))
    assert "A person has to say whether an answer is a success." in told
    assert "permit" not in told.split("</header>")[1].split("<footer")[0]


@pytest.mark.parametrize("given", [{"reproducer": REPRODUCER}, {"success_text": "BLUE-HERON-42"}])
def test_what_a_machine_can_try_is_offered_nothing_more_whatever_is_permitted(
    cast: Cast, given: dict[str, str]
) -> None:
    cast.target.permits.all().delete()
    told = sound(Client().post(PAGE, answers(cast, **given, action="check")))
    assert "No machine can try this" not in told
    assert "Send report" in told
