"""An OpenID provider on this machine: its own RSA key, codes good once, PKCE checked, and whatever a test bends."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "manyeyes-here", "a secret of ours"
KID = "this-year"


def new_key() -> rsa.RSAPrivateKey:
    """A signing key."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Provider(ThreadingHTTPServer):
    """A provider that vouches for whomever the test tells it to; `sign` writes the token from header and claims."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self.server_address[1]}"
        self.key, self.email = new_key(), ""
        self.claims: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.given: dict[str, dict[str, str]] = {}
        self.asked: dict[str, str] = {}
        self.sign: Callable[[dict[str, Any]], str] = self.signed
        self.broken, self.nonsense = False, False

    def signed(self, claims: dict[str, Any]) -> str:
        """A token as it should be."""
        return jwt.encode(claims, self.key, algorithm="RS256", headers={"kid": KID})

    def jwks(self) -> dict[str, Any]:
        """The public part of its key."""
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        return {"keys": [{**public, "kid": KID, "use": "sig", "alg": "RS256"}]}

    def authorize(self, location: str) -> dict[str, str]:
        """Somebody signs in over there: what the browser is sent back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"c-{len(self.given)}"
        self.given[code] = asked
        return {"state": asked["state"], "code": code}

    def token(self, typed: dict[str, str]) -> dict[str, Any] | None:
        """Tokens for a code: once, with the right secret, address and verifier."""
        self.asked = typed
        asked = self.given.pop(typed.get("code", ""), None)
        if asked is None or typed.get("client_secret") != SECRET or typed["redirect_uri"] != asked["redirect_uri"]:
            return None
        hashed = hashlib.sha256(typed.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(hashed).decode().rstrip("=") != asked["code_challenge"]:
            return None
        now = int(time.time())
        claims = {
            "iss": self.issuer, "sub": "subject-u-17", "aud": CLIENT, "exp": now + 60, "iat": now,
            "nonce": asked["nonce"], "email": self.email, "email_verified": True, **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return {"id_token": self.sign(claims), "access_token": "unused", "token_type": "Bearer"}


class Answers(BaseHTTPRequestHandler):
    """Its pages."""

    server: Provider

    def do_GET(self) -> None:
        """What it says of itself, and its keys."""
        it = self.server.issuer
        pages: dict[str, Any] = {
            "/.well-known/openid-configuration": {
                "issuer": it, "authorization_endpoint": f"{it}/authorize", "token_endpoint": f"{it}/token",
                "jwks_uri": f"{it}/jwks", **self.server.document,
            },
            "/jwks": self.server.jwks(),
        }  # fmt: skip
        self._say(pages.get(self.path))

    def do_POST(self) -> None:
        """A token for a code."""
        typed = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._say(self.server.token({name: values[0] for name, values in typed.items()}))

    def _say(self, data: Any) -> None:
        self.send_response(500 if self.server.broken else 400 if data is None else 200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'"no object"' if self.server.nonsense else json.dumps(data).encode())

    def log_message(self, *_args: Any) -> None:
        """Nothing."""


@contextmanager
def running() -> Iterator[Provider]:
    """A provider that answers."""
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
