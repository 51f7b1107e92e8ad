"""What the report form and its kin do with bad input: the field is named, what was typed is kept, nothing is stored."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse

from manyeyes.cases.models import Case, Report
from manyeyes.demo.browser import Page
from tests import people
from tests.journeys.site import REPORT, Visitor, ok, report

MARK = "kept-4711-marble"
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{', '.join(f'*{old}' for _ in range(9))}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def given(cast: people.Cast, **changes: str) -> dict[str, str]:
    """A whole report of somebody without an account, with changes."""
    values = {**REPORT, "target": str(cast.target.pk), "identity": "anonymous", "submission": str(uuid.uuid4())}
    return {**values, "action": "send", **changes}


def sent(cast: people.Cast, **changes: str) -> Page:
    return Visitor().post(reverse("portal:report", args=[cast.program.slug]), given(cast, **changes))


def refused(page: Page, field: str) -> None:
    """A form that says what is wrong, beside its field, and nothing was stored."""
    assert page.status == 422, (page.status, page.words[:300])
    assert "Error" in page.text[page.text.index("<title>") : page.text.index("</title>")]
    named = f'id="id_{field}_error"' in page.text or f'href="#id_{field}' in page.text
    assert named, f"no word beside {field}: {page.words[:600]}"
    assert Case.objects.count() == 0
    assert Report.objects.count() == 0


def test_the_report_these_tests_spoil_is_good(cast: people.Cast) -> None:
    assert sent(cast).status == 201


@pytest.mark.parametrize(
    "field", ["target", "vuln_class", "title", "happened", "steps", "impact", "counted", "identity"]
)
def test_each_needed_answer_is_asked_for(cast: people.Cast, field: str) -> None:
    changes = {field: "", "impact": MARK} if field != "impact" else {field: "", "happened": MARK}
    if field == "counted":
        changes |= {"claim_k": "", "claim_n": ""}
    page = sent(cast, **changes)
    refused(page, field)
    assert MARK in page.text, "what was typed is gone"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "x" * 2_000_000),
        ("title", "a\x00b"),
        ("happened", "a\x00b"),
        ("steps", "a\x00b"),
        ("impact", "\x00"),
        ("success_text", "a\x00"),
        ("own_ref", "\x00a\x00b"),
        ("contact", "a\x00b@example.org"),
        ("steps", "y" * 5_000_000),
        ("target", "not-a-uuid"),
        ("target", "\x00"),
        ("target", "8657196f-897c-4e78-ac9d-b3aeaf8f0774"),
        ("vuln_class", "ZZ"),
        ("vuln_class", "<script>"),
        ("claim_k", "11"),
        ("claim_n", "0"),
        ("claim_n", "-3"),
        ("claim_n", "1e3"),
        ("claim_n", "²"),
        ("claim_n", "9" * 5000),
        ("temperature", "t" * 500),
    ],
)
def test_what_cannot_be_used_is_named(cast: people.Cast, field: str, value: str) -> None:
    changes = {field: value, "own_ref": MARK} if field != "own_ref" else {field: value}
    if field == "contact":
        changes["identity"] = "contact"
    page = sent(cast, **changes)
    refused(page, "counted" if field.startswith("claim") else field)


def test_a_body_that_is_too_large_is_refused_before_it_is_read(cast: people.Cast) -> None:
    visitor = Visitor(raises=False)
    page = visitor.post(reverse("portal:report", args=[cast.program.slug]), given(cast, steps="y" * 12_000_000))
    assert page.status in (400, 413, 422)
    assert Case.objects.count() == 0


def test_too_many_fields_are_refused(cast: people.Cast) -> None:
    visitor = Visitor(raises=False)
    many = {f"field{number}": "x" for number in range(1_000)}
    assert visitor.post(reverse("portal:report", args=[cast.program.slug]), {**given(cast), **many}).status == 400
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    "raw", [b"title=%ED%A0%80", b"title=%FF%FE", b"title=\xff\xfe\x80", b"title=%00", b"=&&&;=%", b""]
)
def test_bytes_that_are_no_text(cast: people.Cast, raw: bytes) -> None:
    client = Visitor().client
    path = reverse("portal:report", args=[cast.program.slug])
    answer = client.post(path, raw, content_type="application/x-www-form-urlencoded")
    assert answer.status_code == 422
    assert Case.objects.count() == 0
    strange = client.generic("POST", path, raw, content_type="application/x-www-form-urlencoded; charset=utf-7")
    assert strange.status_code in (400, 415, 422)


@pytest.mark.parametrize(
    "raw",
    [b"", b"--x", b'--x\r\nContent-Disposition: form-data; name="title"\r\n\r\nhalf', b"\x00" * 100],
)
def test_broken_multipart(cast: people.Cast, raw: bytes) -> None:
    client = Visitor(raises=False).client
    path = reverse("portal:report", args=[cast.program.slug])
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data", "multipart/form-data; boundary=é"):
        assert client.post(path, raw, content_type=kind).status_code in (400, 422), kind
    assert Case.objects.count() == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (people.REPRODUCER.replace("class: HC", "class: [HC"), ("line",)),
        (people.REPRODUCER.replace("temperature: [0.7, 1.2]", "temperature: [0.7, hot]"), ("line", "temperature")),
        (people.REPRODUCER.replace("retry_budget: 3", "retry_budget: many"), ("line", "retry_budget")),
        (people.REPRODUCER + "supprise: 1\n", ("line", "supprise")),
        (people.REPRODUCER + "title: again\n", ("line", "title")),
        (people.REPRODUCER + "when: !!python/object/apply:os.system ['true']\n", ("line",)),
        (BOMB, ("line",)),
        ("{" * 5_000, ("line",)),
        ("[" * 200_000, ()),
        ("\t- a: b", ("line",)),
        ("manyeyes: reproducer/9\n", ("manyeyes",)),
        ("- just\n- a list\n", ()),
        ('"\\ud800"', ()),
        ("manyeyes: \x07", ()),
        ("q: " + "9" * 100_000, ()),
        ("- " + "z" * 900_000, ()),
    ],
    ids=["syntax", "type", "number", "unknown", "twice", "object", "bomb", "deep", "deeper", "tab", "format", "list",
         "surrogate", "bell", "digits", "long"],
)  # fmt: skip
def test_a_broken_reproducer_names_line_and_field(cast: people.Cast, text: str, said: tuple[str, ...]) -> None:
    page = sent(cast, reproducer=text)
    refused(page, "reproducer")
    for word in said:
        assert word in page.words.lower(), page.words[:900]


def test_ten_megabytes_on_one_line_go_nowhere(cast: people.Cast) -> None:
    case = people.make_case(cast, at="new")
    for name, path in (("rhea", f"/my/{case.ref}/"), ("theo", f"/desk/cases/{case.ref}/")):
        visitor = Visitor(getattr(cast, name), raises=False)
        page = ok(visitor.get(path))
        form = page.form("/say/")
        told = visitor.send(page, form, {"text": "w" * 10_000_000})
        assert told.status in (400, 413, 422), name
        longer = visitor.send(page, form, {"text": "w" * 200_000})
        assert longer.status == 422
        assert "200,000 characters" in longer.words
        nul = visitor.send(page, form, {"text": "a\x00b"})
        assert nul.status == 422
        empty = visitor.send(page, form, {"text": " \u200b\n "[:1]})
        assert empty.status == 422
    assert case.messages.count() == 0


def test_a_second_press_and_a_forged_submission(cast: people.Cast) -> None:
    """The same form twice is one case; somebody else's submission id gives nothing away and takes nothing over."""
    submission = str(uuid.uuid4())
    values = given(cast, submission=submission)
    path = reverse("portal:report", args=[cast.program.slug])
    first, again = Visitor().post(path, values), Visitor().post(path, values)
    assert (first.status, again.status) == (201, 201)
    assert first.data["data-case"] == again.data["data-case"]
    assert Case.objects.count() == 1
    for thief in (Visitor(), Visitor(cast.eve), Visitor(cast.theo)):
        forged = thief.post(path, {**values, "title": "Mine", "steps": "Something else entirely"})
        assert forged.status == 409
        assert first.data["data-case"] not in forged.text
    assert Visitor(cast.eve).post(path, values).status == 409
    assert Visitor().post(path, {**values, "submission": "not-a-uuid"}).status in (201, 422)
    assert Report.objects.get(submission_id=submission).steps == people.STEPS


def test_numbers_that_no_retest_can_have(cast: people.Cast) -> None:
    case = people.make_case(cast, at="holds")
    visitor = Visitor(cast.rhea)
    path = f"/my/{case.ref}/retest/"
    for k, n in (("5", "3"), ("-1", "5"), ("x", "5"), ("", ""), ("0", "0"), ("9" * 400, "9" * 400), ("1", "1e9")):
        page = ok(visitor.get(path))
        told = visitor.send(page, page.form("/retest/"), {"claim_k": k, "claim_n": n, "transcript": MARK})
        assert told.status == 422, (k, n)
        assert MARK in told.text
    nul = visitor.post(path, {"claim_k": "0", "claim_n": "3", "transcript": "a\x00b"})
    assert nul.status == 422
    assert case.retests.count() == 0


@pytest.mark.parametrize("values", [
    {"tau": "nan"}, {"tau": "inf"}, {"tau": "-1"}, {"tau": "0"}, {"max_calls": "0"}, {"max_calls": "9" * 50},
    {"seed": "-1"}, {"seed": "9" * 50}, {"retry_budget": "0"}, {"tau": "0.05", "retry_budget": "x"},
])  # fmt: skip
def test_plans_that_make_no_sense_cost_nothing(cast: people.Cast, values: dict[str, str]) -> None:
    case = people.make_case(cast, at="fix_deployed")
    before = case.reproductions.count()
    told = Visitor(cast.theo).post(f"/desk/cases/{case.ref}/verify/", {"tau": "0.05", **values, "action": "start"})
    assert told.status in (409, 422), told.words[:400]
    assert case.reproductions.count() == before


def test_a_report_over_the_budget_waits_in_the_tray_and_is_never_refused(cast: people.Cast, settings: object) -> None:
    settings.MANYEYES_REPORTS_PER_HOUR = 3  # type: ignore[attr-defined]
    for _ in range(4):
        assert sent(cast).status == 201
    assert Case.objects.filter(deferred_at__isnull=True).count() == 3
    assert Case.objects.filter(deferred_at__isnull=False).count() == 1


def test_receipts_cannot_be_guessed(cast: people.Cast) -> None:
    page = report(Visitor(), cast, anonymous=True)
    digits = "".join(letter for letter in page.text.split('class="receipt"')[1].split("</p>")[0] if letter.isdigit())
    assert len(digits) == 24
    near = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    guesses = [near, digits[:6] + "0" * 18, "0" * 24, digits[:-1], digits + "0", "", "x" * 24, "١" * 24, "\x00" * 24]
    told = []
    for guess in guesses:
        visitor = Visitor()
        answer = visitor.client.post("/return/", {"digits": guess}, HTTP_ORIGIN="http://testserver")
        told.append((answer.status_code, b"No case belongs to these digits" in answer.content))
        assert "manyeyes_session" not in visitor.client.cookies
    assert {status for status, _ in told} == {422}
    assert all(same for _, same in told[:3]), "near, half and far tell the same"
    for _ in range(40):
        last = Visitor().client.post("/return/", {"digits": "0" * 24}, HTTP_ORIGIN="http://testserver")
    assert b"Too many tries" in last.content
    right = Visitor().client.post("/return/", {"digits": digits}, HTTP_ORIGIN="http://testserver")
    assert b"Too many tries" in right.content, "the right digits, too, wait after too many tries"
