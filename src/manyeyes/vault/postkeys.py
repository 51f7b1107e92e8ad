"""Whose OpenPGP key is which: kept encrypted, one in use for each holder, with what is wrong with it said aloud."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction

from manyeyes.rules import clock
from manyeyes.vault import keyring, openpgp
from manyeyes.vault.models import DataKey, OpenPGPKey
from manyeyes.vault.sealing import Tampered


@transaction.atomic
def keep(subject: str, found: openpgp.Found, *, key: DataKey | None = None, password: str = "") -> OpenPGPKey:
    """Take a key into use, in place of the one before. Without `key` it gets a data key of its own, for shredding."""
    drop(subject)
    return OpenPGPKey.objects.create(
        key=key or keyring.new_key("platform"),
        subject=subject,
        certificate=found.armored,
        fingerprint=found.fingerprint,
        names=list(found.names),
        secret=found.secret or None,
        password=password or None,
        expires_at=found.expires_at,
    )


def of(subject: str) -> OpenPGPKey | None:
    """The key that a holder has in use."""
    return OpenPGPKey.objects.filter(subject=subject, ended_at__isnull=True).select_related("key").first()


def in_use(subjects: Iterable[str]) -> list[OpenPGPKey]:
    """The keys that these holders have in use."""
    return list(OpenPGPKey.objects.filter(subject__in=list(subjects), ended_at__isnull=True).select_related("key"))


def oldest_signer() -> OpenPGPKey | None:
    """The key that signs what is of no program, such as mails about an account: ours that is longest in use."""
    ours = OpenPGPKey.objects.filter(secret__isnull=False, ended_at__isnull=True)
    return ours.select_related("key").order_by("added_at").first()


@transaction.atomic
def drop(subject: str) -> bool:
    """Take a key out of use. Ours is kept, to read what was encrypted to it; that of a person is destroyed."""
    row = OpenPGPKey.objects.select_for_update().filter(subject=subject, ended_at__isnull=True).first()
    if row is None:
        return False
    if row.secret is not None:
        OpenPGPKey.objects.filter(pk=row.pk).update(ended_at=clock.now())
        return True
    own = row.key
    row.delete()
    keyring.shred(own)
    return True


def trouble_of(row: OpenPGPKey) -> str:
    """One word for what is wrong with the key now: as found when it was last used, or that it has run out; else ""."""
    if row.expires_at is not None and row.expires_at <= clock.now():
        return "expired"
    return row.trouble


def note_trouble(row: OpenPGPKey, why: str) -> None:
    """Remember that the key failed, or with "" that it works again."""
    if row.trouble != why:
        OpenPGPKey.objects.filter(pk=row.pk).update(trouble=why, trouble_at=clock.now() if why else None)
        row.trouble = why


def encrypt(data: bytes, *, to: OpenPGPKey, signer: OpenPGPKey | None = None) -> str:
    """The data for the holder of `to`, signed by `signer`. A failure is noted on the key; raises openpgp.CannotUse."""
    try:
        made = openpgp.encrypt(
            data,
            to=to.certificate,
            expires_at=to.expires_at,
            secret=(signer.secret or "") if signer else "",
            password=(signer.password or "") if signer else "",
        )
    except openpgp.CannotUse as refused:
        note_trouble(signer if refused.why == "sign" and signer else to, refused.why)
        raise
    except (keyring.Shredded, Tampered):  # a key that cannot be read any more is a key nothing can be encrypted to
        note_trouble(to, "unreadable")
        raise openpgp.CannotUse("unreadable") from None
    note_trouble(to, "")
    return made


def clear_sign(text: str, *, signer: OpenPGPKey) -> str:
    """The text with its signature. Raises openpgp.CannotUse, also where the key has run out."""
    _require_alive(signer)
    return openpgp.clear_sign(text, secret=signer.secret or "", password=signer.password or "")


def detached(data: bytes, *, signer: OpenPGPKey) -> tuple[str, str]:
    """(signature, digest) over the data. Raises openpgp.CannotUse, also where the key has run out."""
    _require_alive(signer)
    return openpgp.detached(data, secret=signer.secret or "", password=signer.password or "")


def _require_alive(signer: OpenPGPKey) -> None:
    if signer.secret is None or trouble_of(signer) == "expired":
        raise openpgp.CannotUse("expired" if signer.secret else "sign")
