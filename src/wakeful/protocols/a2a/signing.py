"""Signatures of agent cards (A2A 1.0, section 8.4): JWS (RFC 7515) over the card's canonical form (RFC 8785).

Needs PyJWT with cryptography.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from jwt.api_jws import PyJWS
from jwt.utils import der_to_raw_signature

from wakeful.contracts.errors import ConfigurationError
from wakeful.contracts.json import JsonObject, JsonValue

MOST_CARDS = 1000
"""How many signatures are remembered; a card has one as long as it does not change."""
SHORTEST_RSA = 2048
IDENTIFYING = frozenset({"crv", "kty", "x", "y", "e", "n"})
"""The members of a public key that its thumbprint is made of (RFC 7638)."""
WANTED = f"expected a private key in PEM: Ed25519, P-256, or RSA of at least {SHORTEST_RSA} bits"

PrivateKey = EllipticCurvePrivateKey | Ed25519PrivateKey | RSAPrivateKey


class Signer:
    """Signs with one key. `keys_url` is where its public half is found; raises `ConfigurationError` for another key."""

    def __init__(self, pem: bytes, *, keys_url: str) -> None:
        self._key = _loaded(pem)
        self._algorithm, public = _public(self._key)
        identity = {name: value for name, value in public.items() if name in IDENTIFYING}
        key_id = urlsafe_b64encode(sha256(canonical(identity)).digest()).rstrip(b"=").decode()
        self._header = {"alg": self._algorithm, "kid": key_id, "typ": "JOSE", "jku": keys_url}
        self._keys: JsonObject = {"keys": [{**identity, "kid": key_id, "alg": self._algorithm, "use": "sig"}]}
        self._jws = PyJWS()
        self._jws.unregister_algorithm("ES256")
        self._jws.register_algorithm("ES256", _Repeatable(ECAlgorithm.SHA256, SECP256R1))
        self._made: dict[bytes, JsonObject] = {}

    def signed(self, shown: JsonObject) -> JsonObject:
        """The card with its signature."""
        said = canonical(shown)
        if len(self._made) >= MOST_CARDS:
            self._made.clear()
        if said not in self._made:
            self._made[said] = self._signature(said)
        return {**shown, "signatures": [self._made[said]]}

    def public_keys(self) -> JsonObject:
        """The JWK set."""
        return self._keys

    def _signature(self, said: bytes) -> JsonObject:
        compact = self._jws.encode(said, self._key, algorithm=self._algorithm, headers=self._header)
        protected, _, signature = compact.split(".")
        return {"protected": protected, "signature": signature}


def canonical(shown: JsonObject) -> bytes:
    """RFC 8785, without signatures and what is empty. Cards have no numbers, and only names in ASCII."""
    said = _filled({name: value for name, value in shown.items() if name != "signatures"})
    return json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _filled(value: JsonValue) -> JsonValue:
    """The value without empty text, lists and objects in it; None for one of those."""
    if isinstance(value, dict):
        found = ((name, _filled(inner)) for name, inner in cast("JsonObject", value).items())
        return {name: inner for name, inner in found if inner is not None} or None
    if isinstance(value, list):
        return [inner for item in cast("list[JsonValue]", value) if (inner := _filled(item)) is not None] or None
    return None if value == "" else value


class _Repeatable(ECAlgorithm):
    """ES256 that gives the same signature for the same content (RFC 6979), so that a card has one ETag."""

    def sign(self, msg: bytes, key: EllipticCurvePrivateKey) -> bytes:
        made = key.sign(msg, ECDSA(self.hash_alg(), deterministic_signing=True))
        return der_to_raw_signature(made, key.curve)


def _loaded(pem: bytes) -> PrivateKey:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise ConfigurationError(f"WAKEFUL_A2A_CARD_KEY: {WANTED}, without a password") from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return key
    if isinstance(key, RSAPrivateKey) and key.key_size >= SHORTEST_RSA:
        return key
    raise ConfigurationError(f"WAKEFUL_A2A_CARD_KEY: {WANTED}; found another kind of key")


def _public(key: PrivateKey) -> tuple[str, JsonObject]:
    """The algorithm to sign with (RFC 7518, RFC 8037), and the public half as a JWK."""
    match key:
        case RSAPrivateKey():
            return "RS256", RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case Ed25519PrivateKey():
            return "EdDSA", OKPAlgorithm.to_jwk(key.public_key(), as_dict=True)
        case EllipticCurvePrivateKey():
            return "ES256", ECAlgorithm.to_jwk(key.public_key(), as_dict=True)
