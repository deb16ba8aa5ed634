"""Which languages lie in a folder."""

from pathlib import Path

from lead_signals.intent.pack.rule_pack import PACKAGED_LANGUAGES


def languages_in(folder: Path) -> list[Path]:
    """The folder itself, or the languages in it: the packaged ones in their usual order, then others by name. Empty when there is none."""
    if (folder / "language.yaml").is_file():
        return [folder]
    usual = {name: number for number, name in enumerate(PACKAGED_LANGUAGES)}
    found = sorted(file.parent for file in folder.glob("*/language.yaml"))
    return sorted(found, key=lambda language: usual.get(language.name, len(usual)))
