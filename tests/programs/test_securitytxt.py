"""security.txt says what RFC 9116 demands, the validator and gpg agree, and lists of programs can read the entry."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from jsonschema import Draft7Validator, FormatChecker
from sectxt import SecurityTXT

from manyeyes import events
from manyeyes.cli import main
from manyeyes.programs import openpgp, policy
from manyeyes.programs.models import Program
from manyeyes.programs.securitytxt import disclose_io, dns_text, render, signed
from manyeyes.programs.setup import create_program
from manyeyes.rules.errors import Invalid, NotAllowed, NotFound
from manyeyes.rules.lifecycle import Role
from manyeyes.vault import postkeys
from manyeyes.vault.models import OpenPGPKey
from tests.gnupg import Gnupg
from tests.people import make_person

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


BASE = "https://report.larkfield.example"


@pytest.fixture(scope="module")
def gnupg() -> Iterator[Gnupg]:
    made = Gnupg()
    yield made
    made.close()


@pytest.fixture
def lena() -> Any:
    return make_person("lena", "Lena S.")


@pytest.fixture
def program(lena: Any) -> Program:
    return create_program(
        slug="wicket", name="Wicket", organisation="Larkfield", public=True, languages="en, de",
        contact_email="security@larkfield.example", members={lena: [Role.PROGRAM_MANAGER]},
    )  # fmt: skip


def complaints(text: str, tmp_path: Path) -> list[str]:
    """What the validator holds against the file; that it lies on no web server is none of ours."""
    held = tmp_path / "security.txt"
    held.write_bytes(text.encode())
    found = SecurityTXT(str(held), is_local=True)
    return [str(error) for error in found.errors]


@pytest.mark.django_db
def test_the_validator_has_no_error_unsigned_and_signed(program: Program, lena: Any, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert complaints(render(program, BASE, now), tmp_path) == []
    assert signed(program, BASE, now) == render(program, BASE, now)
    openpgp.make_key(program, by=lena)
    text = signed(program, BASE, now)
    assert text.startswith("-----BEGIN PGP SIGNED MESSAGE-----\r\n")
    assert complaints(text, tmp_path) == []
    assert f"Encryption: {BASE}/p/wicket/openpgp.asc" in text
    assert complaints("Contact: nobody\n", tmp_path) != []


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["made", "ed25519", "rsa3072"])
def test_gpg_says_that_the_signature_is_good(program: Program, lena: Any, gnupg: Gnupg, kind: str) -> None:
    if kind == "made":
        openpgp.make_key(program, by=lena)
        gnupg.run("--import", given=openpgp.public_key(program).encode())
    else:
        who = f"{kind}@larkfield.example"
        gnupg.make(who, *(("future-default", "default") if kind == "ed25519" else (kind, "sign,encrypt")))
        openpgp.import_key(program, by=lena, text=gnupg.private(who))
    text = signed(program, BASE, datetime.now(UTC))
    good, said = gnupg.verify(text.encode())
    assert good
    assert f"Canonical: {BASE}/.well-known/security.txt".encode() in said
    bad, _ = gnupg.verify(text.replace("larkfield", "evil").encode())
    assert not bad


@pytest.mark.django_db
def test_it_renews_itself_and_is_signed_once_a_day(program: Program, lena: Any) -> None:
    openpgp.make_key(program, by=lena)
    morning = signed(program, BASE, NOW)
    assert signed(program, BASE, NOW + timedelta(hours=9)) == morning
    later = signed(program, BASE, NOW + timedelta(days=400))
    assert "Expires: 2028-06-" in later
    assert "Expires: 2027-05-22T00:00:00Z" in morning


@pytest.mark.django_db
def test_a_key_that_ran_out_signs_nothing(program: Program, lena: Any) -> None:
    openpgp.make_key(program, by=lena)
    OpenPGPKey.objects.update(expires_at=NOW - timedelta(days=1))
    assert "SIGNED" not in signed(program, BASE, datetime.now(UTC))
    row = openpgp.key_of(program)
    assert row is not None
    assert postkeys.trouble_of(row) == "expired"


@pytest.mark.django_db
def test_the_key_belongs_to_the_manager_and_leaves_a_trace(program: Program, lena: Any) -> None:
    stranger = make_person("eve")
    for act in (openpgp.make_key, openpgp.drop_key, openpgp.export_key):
        with pytest.raises(NotAllowed):
            act(program, by=stranger)
    with pytest.raises(NotFound):
        openpgp.public_key(program)
    row = openpgp.make_key(program, by=lena)
    assert row.key_id == program.key_id
    assert "PRIVATE KEY" in openpgp.export_key(program, by=lena)
    openpgp.drop_key(program, by=lena)
    with pytest.raises(NotFound):
        openpgp.export_key(program, by=lena)
    kinds = [one.kind for one in events.log(openpgp.subject(program)) if one.kind.startswith("openpgp")]
    assert kinds == ["openpgp.made", "openpgp.exported", "openpgp.dropped"]
    with pytest.raises(Invalid, match="not a private key"):
        openpgp.import_key(program, by=lena, text=row.certificate)


@pytest.mark.django_db
def test_the_key_stands_at_a_plain_address_and_the_private_part_nowhere(
    program: Program, lena: Any, client: Client
) -> None:
    assert client.get("/p/wicket/openpgp.asc").status_code == 404
    openpgp.make_key(program, by=lena)
    answer = client.get("/p/wicket/openpgp.asc")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----")
    assert b"PGP SIGNED MESSAGE" in client.get("/.well-known/security.txt").content


@pytest.mark.django_db
def test_the_entry_for_lists_says_what_is_so(program: Program, client: Client) -> None:
    entry = disclose_io(program, BASE)
    assert entry["policy_url"] == f"{BASE}/p/wicket/policy/1/"
    assert (entry["safe_harbor"], entry["offers_bounty"]) == ("full", "no")
    assert "pgp_key" not in entry
    assert client.get("/p/wicket/disclose.json").json()["program_name"] == "Wicket"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("harbor", "said"),
    [("We will not sue you.", "partial"), ("We may sue you.", "none"), ("Be kind.", "none")],
)
def test_the_entry_promises_no_more_than_the_policy(program: Program, harbor: str, said: str) -> None:
    policy.publish(policy.draft(program, safe_harbor=harbor))
    assert disclose_io(program, BASE)["safe_harbor"] == said


SCHEMA = json.loads((Path(__file__).parent / "disclose_io.schema.json").read_text(encoding="utf-8"))
"""Written after the list's own; its `$comment` says where that is and under which licence."""


@pytest.mark.django_db
@pytest.mark.parametrize("wanting", ["", "contact_email", "policy"])
def test_the_entry_is_one_that_the_list_takes(program: Program, lena: Any, wanting: str) -> None:
    look = Draft7Validator(SCHEMA, format_checker=FormatChecker())
    if wanting == "contact_email":
        program.contact_email = ""
    elif wanting == "policy":
        program.policies.update(published_at=None)
    else:
        openpgp.make_key(program, by=lena)
    entry = disclose_io(program, BASE)
    assert [error.message for error in look.iter_errors(entry)] == []
    assert ("pgp_key" in entry) is (wanting == "")
    for name, value in (("launch_date", "yesterday"), ("safe_harbor", "some"), ("policy_url", "none"), ("x", 1)):
        assert not look.is_valid({**entry, name: value}), name
    for name in ("policy_url", "public_disclosure", "disclosure_timeline_days"):
        assert not look.is_valid({key: value for key, value in entry.items() if key != name}), name


@pytest.mark.django_db
def test_dns_text_can_be_copied(program: Program) -> None:
    assert dns_text(program, BASE) == (
        '_security.larkfield.example. IN TXT "security_policy=https://report.larkfield.example/p/wicket/"\n'
        '_security.larkfield.example. IN TXT "security_contact=mailto:security@larkfield.example"\n'
    )
    program.contact_email = ""
    assert dns_text(program, BASE).startswith("_security.report.larkfield.example. IN TXT")


@pytest.mark.django_db
def test_the_command_writes_what_the_site_serves(
    program: Program, lena: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], client: Client
) -> None:
    openpgp.make_key(program, by=lena)
    out = tmp_path / "security.txt"
    assert main(["securitytxt", "--program", "wicket", "--out", str(out)]) == 0
    assert out.read_bytes() == client.get("/.well-known/security.txt").content
    assert main(["securitytxt", "--program", "wicket", "--unsigned"]) == 0
    assert "SIGNED" not in capsys.readouterr().out
    assert main(["securitytxt", "--program", "wicket", "--dns"]) == 0
    assert "security_policy=" in capsys.readouterr().out
    assert main(["securitytxt", "--program", "wicket", "--disclose-io"]) == 0
    assert '"program_name": "Wicket"' in capsys.readouterr().out
    assert main(["securitytxt", "--program", "nothing"]) == 2
    assert main(["securitytxt", "--program", "wicket", "--out", str(tmp_path / "no" / "x")]) == 2
    assert "--out" in capsys.readouterr().err


def test_where_no_data_is_kept_the_command_says_so(tmp_path: Path) -> None:
    given = {**os.environ, "MANYEYES_DATA_DIR": str(tmp_path / "none"), "DJANGO_SETTINGS_MODULE": "manyeyes.settings"}
    given["MANYEYES_MASTER_KEY_FILE"] = str(tmp_path / "key")
    given.pop("MANYEYES_DATABASE_URL", None)
    words = [sys.executable, "-m", "manyeyes.cli", "securitytxt", "--program", "wicket"]
    done = subprocess.run(words, env=given, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "manyeyes securitytxt: the database cannot be read; run `manyeyes init` first.\n"


@pytest.mark.django_db
def test_an_address_of_this_machine_alone_is_warned_of(
    program: Program, settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.MANYEYES_BASE_URL = "http://localhost:8000"
    assert main(["securitytxt", "--program", "wicket", "--dns"]) == 0
    assert "set MANYEYES_BASE_URL" in capsys.readouterr().err
    settings.MANYEYES_BASE_URL = "https://reports.example"
    assert main(["securitytxt", "--program", "wicket", "--dns"]) == 0
    assert capsys.readouterr().err == ""
