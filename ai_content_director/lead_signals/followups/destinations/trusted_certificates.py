"""Whose certificates are believed: those the system trusts, with SSL_CERT_FILE and SSL_CERT_DIR as OpenSSL reads them."""

import ssl
from pathlib import Path

import certifi


def trusted_certificates(*alpn: str, ca_file: str | None = None) -> ssl.SSLContext:
    """A context that checks certificate and host name. `ca_file` is believed instead of the system, for a private authority.

    A system without any (a bare container) gets Mozilla's list.
    """
    context = ssl.create_default_context(cafile=ca_file or (None if _system_has_some() else certifi.where()))
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context


def _system_has_some() -> bool:
    paths = ssl.get_default_verify_paths()
    return bool(paths.cafile) or (bool(paths.capath) and any(Path(paths.capath).iterdir()))
