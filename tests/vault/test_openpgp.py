"""Keys of GnuPG and Sequoia are looked at, used and refused in words; what we make, the real gpg reads."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from manyeyes.rules import clock
from manyeyes.rules.errors import Invalid
from manyeyes.vault import keyring, openpgp, postkeys
from manyeyes.vault.models import DataKey, OpenPGPKey
from tests.gnupg import LONG_AGO, Gnupg


@pytest.fixture(scope="module")
def gnupg() -> Iterator[Gnupg]:
    made = Gnupg()
    yield made
    made.close()


def refused(text: str) -> str:
    with pytest.raises(Invalid) as caught:
        openpgp.inspect(text)
    assert set(caught.value.fields) == {"openpgp_key"}
    return caught.value.fields["openpgp_key"]


@pytest.mark.parametrize(("algorithm", "usage"), [("future-default", "default"), ("rsa3072", "sign,encrypt")])
def test_what_is_encrypted_to_a_key_of_gnupg_opens_there(gnupg: Gnupg, algorithm: str, usage: str) -> None:
    who = f"{algorithm}@larkfield.example"
    found = openpgp.inspect(gnupg.make(who, algorithm, usage))
    assert found.fingerprint.upper() == gnupg.fingerprint(who)
    assert found.names == (who,)
    assert found.expires_at is not None
    assert timedelta(days=729) < found.expires_at - datetime.now(UTC) <= timedelta(days=731)
    ours = openpgp.generate("Wicket <security@larkfield.example>")
    gnupg.run("--import", given=ours.armored.encode())
    text, said = gnupg.read(openpgp.encrypt("Grüße".encode(), to=found.armored, secret=ours.secret))
    assert text.decode() == "Grüße"
    assert "GOODSIG" in said


def test_what_is_encrypted_to_a_key_of_sequoia_opens_there() -> None:
    from pysequoia import Profile, Tsk, decrypt

    for profile in (Profile.RFC4880, Profile.RFC9580):
        tsk = Tsk.generate(user_id="rhea", profile=profile)
        found = openpgp.inspect(str(tsk.extract_certificate()))
        assert found.expires_at is None
        made = openpgp.encrypt(b"a word", to=found.armored)
        assert decrypt(made.encode(), tsk.decryptor()).bytes == b"a word"


def test_keys_that_cannot_be_used_are_refused_in_words(gnupg: Gnupg) -> None:
    assert "can sign, but nothing can be encrypted" in refused(gnupg.make("sign@x.example", "ed25519", "sign"))
    assert "ran out on 31 Dec 2020" in refused(gnupg.ran_out("old@x.example"))
    assert "ran out on 31 Dec 2020" in refused(gnupg.ran_out("part@x.example", part=True))
    gnupg.make("gone@x.example")
    assert "has revoked this key" in refused(gnupg.revoke("gone@x.example"))
    two = gnupg.make("uno@x.example") + gnupg.make("duo@x.example")
    assert "more than one key" in refused(two)
    assert "private key, which nobody but you" in refused(gnupg.private("uno@x.example"))


@pytest.mark.parametrize("part", [True, False])
def test_a_key_that_ran_out_is_good_again_after_what_the_words_say(gnupg: Gnupg, part: bool) -> None:
    who = f"again{part}@x.example"
    said = refused(gnupg.ran_out(who, part=part))
    named = "The part of this key that is for encryption" if part else "This key"
    assert f"{named} ran out on 31 Dec 2020" in said
    extend = re.search(r"\(gpg ([^)]*)\)", said)
    assert extend is not None
    for command in extend[1].split("; gpg "):
        assert gnupg.run(*shlex.split(command)).returncode == 0
    assert openpgp.inspect(gnupg.public(who)).fingerprint


def test_where_the_key_and_its_part_ran_out_both_are_extended(gnupg: Gnupg) -> None:
    who = "both@x.example"
    gnupg.run(*LONG_AGO, "--quick-gen-key", who, "ed25519", "sign", "1y")
    gnupg.run(*LONG_AGO, "--quick-add-key", gnupg.fingerprint(who), "cv25519", "encr", "1y")
    extend = re.search(r"\(gpg ([^)]*)\)", refused(gnupg.public(who)))
    assert extend is not None
    commands = extend[1].split("; gpg ")
    assert len(commands) == 2
    for command in commands:
        assert gnupg.run(*shlex.split(command)).returncode == 0
    assert openpgp.inspect(gnupg.public(who)).fingerprint


def test_a_key_that_is_too_short_is_refused_as_that(gnupg: Gnupg) -> None:
    assert "too short to keep a secret: 1024 bits" in refused(gnupg.make("weak@x.example", "rsa1024", "sign,encrypt"))
    gnupg.make("mixed@x.example", "rsa3072", "sign")
    added = gnupg.run("--quick-add-key", gnupg.fingerprint("mixed@x.example"), "rsa1024", "encr", "1y")
    assert added.returncode == 0, added.stderr
    said = refused(gnupg.public("mixed@x.example"))
    assert "too short to keep a secret: 1024 bits" in said
    assert "gpg --quick-gen-key" in said


@pytest.mark.parametrize("profile", ["RFC4880", "RFC9580"])
def test_keys_of_sequoia_that_cannot_be_used_are_refused_in_words(profile: str) -> None:
    from pysequoia import Cert, Profile, Tsk
    from pysequoia.packet import PacketPile

    made = {"user_id": "rhea <rhea@x.example>", "profile": getattr(Profile, profile)}
    tsk, brief = Tsk.generate(**made), Tsk.generate(**made, validity_seconds=1)
    cert = tsk.extract_certificate()
    assert openpgp.inspect(str(cert)).names == ("rhea <rhea@x.example>",), "the very key is good before"
    revoked = Cert.from_bytes(bytes(cert) + bytes(cert.revoke(tsk.certifier())))
    assert "has revoked this key" in refused(str(revoked))
    packets = list(PacketPile.from_bytes(bytes(cert)))
    sealing = next(at for at, one in enumerate(packets) if "encryption" in str(one.key_flags or ""))
    signs = Cert.from_packets(packets[: sealing - 1] + packets[sealing + 1 :])  # without its part for encryption
    assert "can sign, but nothing can be encrypted" in refused(str(signs))
    assert "private key, which nobody but you" in refused(str(tsk))
    time.sleep(2.1)
    assert "ran out on" in refused(str(brief.extract_certificate()))


@pytest.mark.parametrize(
    "text",
    [
        "hello",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----",
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
        "\x99\xff" * 4000,
        "-----BEGIN PGP MESSAGE-----\n\n" + "yyyy" * 30000,
        "\ud800",
    ],
)
def test_what_is_no_key_is_refused_without_a_native_trace(text: str) -> None:
    said = refused(text)
    assert "not an OpenPGP key" in said
    assert "backtrace" not in said
    assert "sequoia" not in said


def test_nothing_and_too_much_are_refused() -> None:
    assert "Paste the public key" in refused("  ")
    assert "more than 200 kB" in refused("x" * 200_001)


def test_a_parser_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openpgp, "PATIENCE", 0.01)
    assert "not an OpenPGP key" in refused("hello")


def test_a_private_key_is_imported_with_its_password_and_signs(gnupg: Gnupg) -> None:
    gnupg.make("import@x.example")
    found = openpgp.inspect_secret(gnupg.private("import@x.example"))
    signed = openpgp.clear_sign("Contact: x\n- dashed\n", secret=found.secret)
    good, text = gnupg.verify(signed.encode())
    assert (good, text.rstrip(b"\n") + b"\n") == (True, b"Contact: x\n- dashed\n")
    with pytest.raises(Invalid, match="not a private key"):
        openpgp.inspect_secret(gnupg.public("import@x.example"))


def test_a_failure_of_the_library_is_one_word() -> None:
    ours = openpgp.generate("a")
    for act in (
        lambda: openpgp.encrypt(b"x", to="rubbish"),
        lambda: openpgp.encrypt(b"x", to=ours.armored, expires_at=clock.now() - timedelta(days=1)),
        lambda: openpgp.clear_sign("x", secret="rubbish"),
        lambda: openpgp.detached(b"x", secret="rubbish"),
    ):
        with pytest.raises(openpgp.CannotUse) as caught:
            act()
        assert caught.value.why in ("unreadable", "expired", "sign")
        assert "\n" not in str(caught.value)


@pytest.mark.django_db
def test_a_holder_has_one_key_and_a_persons_key_is_destroyed_with_its_row() -> None:
    first = postkeys.keep("person:1", _public("a"))
    second = postkeys.keep("person:1", _public("b"))
    assert postkeys.of("person:1") == second
    assert not OpenPGPKey.objects.filter(pk=first.pk).exists()
    assert DataKey.objects.get(pk=first.key_id).destroyed_at is not None
    assert postkeys.drop("person:1")
    assert not postkeys.drop("person:1")
    assert postkeys.of("person:1") is None


@pytest.mark.django_db
def test_our_own_key_is_kept_when_another_replaces_it() -> None:
    key = keyring.new_key("program")
    first = postkeys.keep("program:1", openpgp.generate("a"), key=key)
    postkeys.keep("program:1", openpgp.generate("b"), key=key)
    first.refresh_from_db()
    assert first.ended_at is not None
    assert first.secret
    assert [row.subject for row in postkeys.in_use(["program:1", "person:9"])] == ["program:1"]


@pytest.mark.django_db
def test_a_key_that_fails_says_so_until_it_works_again() -> None:
    row = postkeys.keep("person:1", _public("a"))
    postkeys.encrypt(b"x", to=row)
    assert postkeys.trouble_of(row) == ""
    OpenPGPKey.objects.filter(pk=row.pk).update(expires_at=clock.now() - timedelta(days=1))
    row = OpenPGPKey.objects.get(pk=row.pk)
    with pytest.raises(openpgp.CannotUse):
        postkeys.encrypt(b"x", to=row)
    row = OpenPGPKey.objects.get(pk=row.pk)
    assert (row.trouble, postkeys.trouble_of(row)) == ("expired", "expired")
    assert row.trouble_at is not None


def _public(name: str) -> openpgp.Found:
    made = openpgp.generate(name)
    return openpgp.Found(fingerprint=made.fingerprint, armored=made.armored, expires_at=made.expires_at, names=(name,))
