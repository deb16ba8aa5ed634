"""Why nobody answered, in one word that stands in delivery_attempts.error_class and is the same on every platform."""

import socket
import ssl
from typing import Final

from aiohttp import ClientConnectionError, ClientConnectorError, ClientResponseError, InvalidURL

from lead_signals.followups.destinations.guarded_connections import RefusedAddressError

TIMEOUT: Final = "Timeout"
REFUSED_ADDRESS: Final = "RefusedAddress"
_EXPIRED: Final = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_WRONG_HOST: Final = frozenset({62, 64})  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH


def failure_word(error: BaseException) -> str:
    """One word, never anything a stranger wrote."""
    cause = _cause(error)
    if isinstance(cause, RefusedAddressError | InvalidURL):
        return REFUSED_ADDRESS
    if isinstance(cause, ssl.SSLCertVerificationError):
        return _certificate_word(cause)
    if isinstance(cause, ssl.SSLError):
        return "TLSFailed"
    if isinstance(cause, socket.gaierror):
        return "NameNotFound"
    if isinstance(cause, ConnectionRefusedError):
        return "ConnectionRefused"
    if isinstance(error, ClientConnectorError):
        return "ConnectionFailed"
    if isinstance(error, ClientResponseError):
        return "NotHTTP"
    if isinstance(error, ClientConnectionError | ConnectionError):
        return "ConnectionLost"
    return "ConnectionFailed" if isinstance(cause, OSError) else error.__class__.__name__


def _cause(error: BaseException) -> BaseException:
    """What really happened: aiohttp keeps it as an attribute, aiosmtplib as the cause."""
    for inner in (getattr(error, "certificate_error", None), getattr(error, "os_error", None), error.__cause__):
        if isinstance(inner, OSError | ValueError):
            return inner
    return error


def _certificate_word(error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code == _EXPIRED:
        return "CertificateExpired"
    return "CertificateWrongHost" if error.verify_code in _WRONG_HOST else "CertificateNotTrusted"
