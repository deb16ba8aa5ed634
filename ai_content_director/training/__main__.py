"""`bin/train`: fit the statistical opinion anew and write its file."""

import sys
import time

import orjson

from lead_signals.intent.statistics.statistical_model import PACKAGED_MODEL, read_model
from training.fit import find_trust, fit, look_at
from training.sentences import SentenceError, read_sentences


def main() -> None:
    """Read, look, fit, try on sentences left out, write."""
    began = time.monotonic()
    try:
        sentences = read_sentences()
    except SentenceError as error:
        sys.exit(str(error))
    looked = look_at(sentences)
    files = len({one.author for one in sentences})
    print(f"{len(sentences):,} sentences of {files} files; {len(looked):,} with their bare twins", flush=True)
    content = fit(looked)
    print(f"fitted: {len(content['words']):,} words and pairs; now without each fifth in turn ({_since(began)})", flush=True)
    content["trust"], right = find_trust(looked)
    print(f"right about {right:.3f} of the sentences it had not read ({_since(began)})", flush=True)
    raw = orjson.dumps(content)
    PACKAGED_MODEL.write_bytes(raw)
    print(f"trust {content['trust']}; {read_model(raw).name} written, {len(raw) / 1e6:.2f} MB ({_since(began)})")


def _since(began: float) -> str:
    return f"{time.monotonic() - began:.0f} s"


if __name__ == "__main__":
    main()
