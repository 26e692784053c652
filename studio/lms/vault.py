"""Keys of language models, encrypted at rest.

The secret is not in the database: it is made of `SECRET_KEY`, or of `STUDIO_ENCRYPTION_KEYS`, a
list of which the first encrypts and all decrypt. To change the secret, put the new one first and
save each connection's key again; then take the old one away.
"""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

from studio.errors import Invalid


def encrypt(text: str) -> str:
    """`text` as it may be stored; empty stays empty."""
    return _box().encrypt(text.encode()).decode("ascii") if text else ""


def decrypt(stored: str) -> str:
    """What `encrypt` was given. Raises `Invalid` when the secret has changed since."""
    if not stored:
        return ""
    try:
        return _box().decrypt(stored.encode("ascii")).decode()
    except InvalidToken:
        raise Invalid(
            "The stored key cannot be read: the site's secret has changed since. "
            "Enter the key again."
        ) from None


def _box() -> MultiFernet:
    secrets = [*settings.STUDIO_ENCRYPTION_KEYS, settings.SECRET_KEY]
    return MultiFernet([Fernet(_derive(secret)) for secret in secrets])


def _derive(secret: str) -> bytes:
    # A key of its own: whoever breaks one use of the secret has not broken the others.
    kdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"compile-studio connection keys")
    return base64.urlsafe_b64encode(kdf.derive(secret.encode()))
