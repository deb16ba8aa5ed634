"""The runbook's curl lines, sent as they are written: a shell's quoting and four of curl's options, over real HTTP."""

import shlex

import httpx


def curl(line: str) -> httpx.Response:
    """Send what this line would send. Raises AssertionError for an option we do not know, so that none is overlooked."""
    program, *words = shlex.split(line.replace("\\\n", " "))
    assert program == "curl", line
    method, body, headers, addresses = "GET", None, [], []
    while words:
        word = words.pop(0)
        if word in ("-X", "--request"):
            method = words.pop(0)
        elif word in ("-H", "--header"):
            name, _, value = words.pop(0).partition(":")
            headers.append((name, value.strip()))
        elif word in ("-d", "--data"):
            body = words.pop(0).encode()
        elif word.startswith("-"):
            raise AssertionError(f"no such option here: {word}")
        else:
            addresses.append(word)
    assert len(addresses) == 1, line
    return httpx.request(method, addresses[0], headers=headers, content=body, timeout=30, trust_env=False)
