from __future__ import annotations

import wave
from pathlib import Path

import pytest

from sutradhar.pipeline import media
from tests.conftest import ROOT


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample's sound as demux writes it: 27.52 s."""
    path = tmp_path_factory.mktemp("sound") / "audio.wav"
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes(b"".join(block.tobytes() for block in media.decode(ROOT / "samples" / "dialogue.mp4")))
    return path
