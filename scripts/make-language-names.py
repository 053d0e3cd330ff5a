"""Write pipeline/language_names.tsv: `.venv/bin/python scripts/make-language-names.py`.

langcodes knows names of 8,000 languages in 300 others, which takes a second and 300 MB to load. English ones are
all that we show.
"""

from __future__ import annotations

import itertools
import string
from pathlib import Path

import langcodes

TABLE = Path(__file__).parent.parent / "pipeline" / "language_names.tsv"
NO_LANGUAGE = ("mis", "mul", "und", "zxx")  # of ISO 639-2


def main() -> None:
    codes = ("".join(letters) for size in (2, 3) for letters in itertools.product(string.ascii_lowercase, repeat=size))
    names = {code: langcodes.Language.get(code).language_name() for code in codes if is_language(code)}
    TABLE.write_text("".join(f"{code}\t{name}\n" for code, name in names.items()), encoding="utf-8")


def is_language(code: str) -> bool:
    language = langcodes.Language.get(code)
    # qaa is for private use.
    return code not in NO_LANGUAGE and language.is_valid() and not language.language_name().startswith("Unknown")


if __name__ == "__main__":
    main()
