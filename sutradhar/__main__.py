"""`python -m sutradhar`: the same as the command `sutradhar`."""

from __future__ import annotations

from sutradhar.command import entry

if __name__ == "__main__":
    entry()
