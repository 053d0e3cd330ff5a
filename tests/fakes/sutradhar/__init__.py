"""The package, with the stages beside this file in place of its own."""

from __future__ import annotations

from pathlib import Path

__path__.append(str(Path(__file__).parents[3] / "sutradhar"))
