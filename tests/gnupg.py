"""A GnuPG of its own for a test: keys of every kind, made by the real gpg, and its word on what we made."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

LONG_AGO = ("--faked-system-time", "20200101T000000")


class Gnupg:
    """One home directory of gpg."""

    def __init__(self, home: Path | None = None) -> None:
        # A short path: gpg's agent listens on a socket beside its keys, and sockets have short names.
        self.home = Path(tempfile.mkdtemp(prefix="g"))
        self.home.chmod(0o700)

    def run(self, *args: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """gpg with these arguments."""
        command = ["gpg", "--homedir", str(self.home), "--batch", "--pinentry-mode", "loopback", "--passphrase", ""]
        return subprocess.run([*command, *args], input=given, capture_output=True, timeout=60, check=False)

    def make(self, who: str, algorithm: str = "future-default", usage: str = "default", ends: str = "2y") -> str:
        """A new key; its public part."""
        done = self.run("--quick-gen-key", who, algorithm, usage, ends)
        assert done.returncode == 0, done.stderr
        return self.public(who)

    def public(self, who: str) -> str:
        """The public part, in letters."""
        return self.run("--armor", "--export", who).stdout.decode()

    def private(self, who: str) -> str:
        """The private part, in letters."""
        return self.run("--armor", "--export-secret-keys", who).stdout.decode()

    def fingerprint(self, who: str) -> str:
        """The fingerprint of the first key of this name."""
        lines = self.run("--with-colons", "--list-keys", who).stdout.decode().splitlines()
        return next(line.split(":")[9] for line in lines if line.startswith("fpr"))

    def revoke(self, who: str) -> str:
        """Revoke the key; its public part afterwards."""
        found = self.home / "openpgp-revocs.d" / f"{self.fingerprint(who)}.rev"
        self.run("--import", given=found.read_text().replace(":-----BEGIN", "-----BEGIN").encode())
        return self.public(who)

    def ran_out(self, who: str, *, part: bool = False) -> str:
        """A key that ended years ago, or one whose part for encryption did."""
        algorithm, usage, ends = ("ed25519", "sign", "0") if part else ("rsa2048", "sign,encrypt", "1y")
        self.run(*LONG_AGO, "--quick-gen-key", who, algorithm, usage, ends)
        if part:
            self.run(*LONG_AGO, "--quick-add-key", self.fingerprint(who), "cv25519", "encr", "1y")
        return self.public(who)

    def verify(self, signed: bytes, detached: str = "") -> tuple[bool, bytes]:
        """(whether gpg calls the signature good, the text that it covers)."""
        held = self.home / "signed"
        held.write_bytes(signed)
        if not detached:
            done = self.run("--status-fd", "2", "--decrypt", str(held))
        else:
            (self.home / "signature").write_text(detached)
            done = self.run("--status-fd", "2", "--verify", str(self.home / "signature"), str(held))
        return b"GOODSIG" in done.stderr and done.returncode == 0, done.stdout

    def read(self, message: str) -> tuple[bytes, str]:
        """(what an encrypted message says, what gpg says about it)."""
        done = self.run("--status-fd", "2", "--decrypt", given=message.encode())
        return done.stdout, done.stderr.decode("utf-8", "replace")

    def close(self) -> None:
        """Stop the agent that gpg started."""
        subprocess.run(["gpgconf", "--homedir", str(self.home), "--kill", "all"], capture_output=True, check=False)
