"""What a person reads of the machine and its settings."""

from __future__ import annotations

from sutradhar.pipeline.machine import command
from sutradhar.pipeline.machine.hardware import recommend
from tests.conftest import probed


def test_the_table_tells_where_mlx_computes() -> None:
    assert "\nmlx             0.32.4 on cpu, cuda\n" in command.table(recommend(probed("h100-mlx-cuda")))
    assert "\nmlx             not available: the package mlx is not installed\n" in command.table(
        recommend(probed("h100"))
    )


def test_on_a_terminal_lines_are_broken_between_words_and_go_on_in_their_column() -> None:
    lines = command.table(recommend(probed("container")), 80).splitlines()
    assert max(map(len, lines)) <= 80
    begin = lines.index("  batch size    4         half of 2.0 GB less 0.2 for the model, at 0.2 GB a")
    assert lines[begin + 1] == "                          window; from 1 to 8"
