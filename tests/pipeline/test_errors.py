from __future__ import annotations

import builtins
import re

from sutradhar.pipeline import errors
from tests.conftest import ROOT

CAUGHT_BY_WHO_ASKED = {
    "LoaderEnded",
    "BrokenBuild",
    "NotANumber",
    "OutOfMemory",
    "Unreadable",
}  # in the package that raises them


def test_the_tree_names_every_error_that_may_end_a_command() -> None:
    sources = "".join(path.read_text() for folder in ("pipeline", "stages") for path in (ROOT / folder).rglob("*.py"))
    bases = dict(re.findall(r"^class (\w+)\((\w+)\):", sources, re.MULTILINE))

    def is_exception(name: str) -> bool:
        while name in bases:
            name = bases[name]
        return issubclass(getattr(builtins, name, object), BaseException)

    in_the_tree = set(re.findall(r"^(?:│   )?(?:[├└]── )?(\w+)(?: \(|  )", errors.__doc__ or "", re.MULTILINE))
    assert {name for name in bases if is_exception(name)} == in_the_tree | CAUGHT_BY_WHO_ASKED
