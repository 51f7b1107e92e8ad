"""security.txt says what RFC 9116 demands."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from manyeyes.programs.securitytxt import render
from manyeyes.programs.setup import create_program

NOW = datetime(2026, 11, 23, 12, 30, 15, 999, tzinfo=UTC)


@pytest.mark.django_db
def test_required_and_useful_fields() -> None:
    program = create_program(
        slug="wicket", name="Wicket", organisation="Larkfield", public=True,
        contact_email="security@larkfield.example", languages="en, de",
    )  # fmt: skip
    text = render(program, "https://report.larkfield.example/", NOW)
    lines = text.split("\r\n")
    assert lines.pop() == ""
    fields = [tuple(line.split(": ", 1)) for line in lines]
    assert [v for k, v in fields if k == "Contact"] == [
        "https://report.larkfield.example/p/wicket/report/",
        "mailto:security@larkfield.example",
    ]
    one = dict(fields)
    expires = datetime.fromisoformat(one["Expires"].replace("Z", "+00:00"))
    assert timedelta(days=30) < expires - NOW < timedelta(days=365)
    assert one["Canonical"] == "https://report.larkfield.example/.well-known/security.txt"
    assert one["Policy"] == "https://report.larkfield.example/p/wicket/policy/1/"
    assert one["Acknowledgments"] == "https://report.larkfield.example/thanks/"
    assert one["Preferred-Languages"] == "en, de"
    assert [k for k, _ in fields].count("Expires") == 1


@pytest.mark.django_db
def test_a_program_cannot_smuggle_lines_in() -> None:
    program = create_program(slug="wicket", name="Wicket", organisation="Larkfield")
    program.contact_email = "a@b.example\r\nContact: https://evil.example"
    program.languages = "en\r\nContact: x"
    text = render(program, "https://x.example", NOW)
    assert text.count("Contact:") <= 2 + text.count("mailto:a@b.exampleContact")
    assert not any(line.startswith("Contact: https://evil") for line in text.splitlines())
    assert "Preferred-Languages: en" in text
