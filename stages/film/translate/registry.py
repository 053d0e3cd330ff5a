"""The translators by name: Whisper's own translation, which the recogniser makes, and those that are listed here.

To add one, see `translator.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from sutradhar.stages.film.translate.about import TranslatorAbout

NAMES = (  # each a package beside this file, the one to prefer first
    "indictrans2",
)
TRANSLATORS: Mapping[str, TranslatorAbout] = {
    name: import_module(f"sutradhar.stages.film.translate.{name}.about").ABOUT for name in NAMES
}
WHISPER = "whisper"
ENGINES = (WHISPER, *NAMES)  # the values of TRANSLATION_ENGINE
SCOPES = "; ".join(f"{name}: {about.scope}" for name, about in TRANSLATORS.items())
