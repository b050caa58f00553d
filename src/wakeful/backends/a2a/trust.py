"""Whether a card was signed with a key that is trusted: A2A 1.0, section 8.4, with the SDK's verifier.

Needs PyJWT with cryptography. Where a card says its keys are (`jku`) is never asked: only given keys count.
"""

from __future__ import annotations

from collections.abc import Sequence

from a2a.types import a2a_pb2 as pb
from a2a.utils.signing import SignatureVerificationError, create_signature_verifier
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from wakeful.backends.a2a.failures import UntrustedCard
from wakeful.contracts.errors import ConfigurationError


class TrustedKeys:
    """Public keys in PEM, at least one. Raises `ConfigurationError` for what is none."""

    def __init__(self, agent_id: str, pems: Sequence[str]) -> None:
        self._agent_id = agent_id
        self._verifiers = [
            create_signature_verifier(lambda _kid, _jku, pem=pem: pem, [_algorithm(agent_id, pem)]) for pem in pems
        ]

    def check(self, card: pb.AgentCard) -> None:
        """Raise `UntrustedCard` unless one of the card's signatures was made with one of the keys."""
        if not card.signatures:
            raise UntrustedCard(
                f"the card of remote agent {self._agent_id} is not signed, and its endpoint has trusted_keys; let that "
                "server sign its card, or trust it without"
            )
        for verify in self._verifiers:
            try:
                verify(card)
            except SignatureVerificationError:
                continue
            return
        raise UntrustedCard(
            f"the card of remote agent {self._agent_id} is not signed with any of the trusted_keys of its endpoint, or "
            "was changed after it was signed; ask whoever runs that server for its public key"
        )


def _algorithm(agent_id: str, pem: str) -> str:
    """The only algorithm that signatures with this key may have (RFC 7518, RFC 8037)."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError(f"a trusted key of remote agent {agent_id} cannot be read; expected PEM") from None
    match key:
        case Ed25519PublicKey():
            return "EdDSA"
        case RSAPublicKey():
            return "RS256"
        case EllipticCurvePublicKey() if isinstance(key.curve, SECP256R1):
            return "ES256"
        case _:
            raise ConfigurationError(
                f"a trusted key of remote agent {agent_id} is of a kind that is not known here; expected Ed25519, "
                "P-256 or RSA"
            )
