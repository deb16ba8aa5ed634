"""What to look at when a trial was not delivered: one sentence for each word that an attempt can end with."""

from typing import Final

_HINTS: Final = {
    "NameNotFound": "Is the name in DNS, and written as it is there?",
    "ConnectionRefused": "Nothing listens at that port: does the receiver run, and is the port right?",
    "ConnectionFailed": "No connection came about: is the host reachable from this server, past every firewall?",
    "ConnectionLost": "The receiver hung up before it answered: look into its log, and into that of the proxy before it.",
    "NotHTTP": "What answers there does not speak HTTP: is the port right, and https:// where TLS is spoken?",
    "TooMuch": "The receiver never came to its answer, and sent too much before it: is it a webhook at all?",
    "Timeout": "No answer came in time: the receiver must answer 2xx at once, and work afterwards;"
    " N8N_WEBHOOK_TIMEOUT_SECONDS sets how long is waited.",
    "RefusedAddress": "The address leads into a network that is not called: name the host in WEBHOOK_ALLOWED_HOSTS if it shall be.",
    "CertificateExpired": "The receiver's certificate has expired: renew it.",
    "CertificateWrongHost": "The receiver's certificate is for another name: use the name that it is for, or have it issued for this one.",
    "CertificateNotTrusted": "The receiver's certificate comes from an authority that is not known here, or lacks the one in between: send"
    " the whole chain.",
    "TLSFailed": "TLS could not be agreed upon: does the port speak TLS 1.2 or newer?",
    "NoMailServer": "No mail server is set: set SMTP_URL and SMTP_FROM.",
    "HTTP400": "The receiver cannot read the follow-up: does it expect this JSON?",
    "HTTP401": "The receiver wants a proof that it does not get: does it know this endpoint's secret?",
    "HTTP403": "The receiver refuses: does it know this endpoint's secret, and may this server call it?",
    "HTTP404": "Nothing is at that path: is the workflow published (n8n: active, and not its test URL), and is the path right?",
    "HTTP405": "The path takes no POST: is the webhook set to POST?",
    "HTTP413": "The receiver takes no body of this size: raise the limit of the proxy before it.",
    "HTTP429": "The receiver asks for less: is it shared with others who send much?",
}


def trial_hint(error_class: str) -> str:
    """One sentence for the word in `error_class`, or an empty text for one that tells enough by itself."""
    if (hint := _HINTS.get(error_class)) is not None:
        return hint
    if error_class.startswith("HTTP3"):
        return "The receiver redirects, and redirects are not followed: give the final address."
    if error_class.startswith("HTTP5"):
        return "The receiver, or a proxy before it, failed: look into its own log."
    return "The mail server refused it; what it said tells why." if error_class.startswith("SMTP") else ""
