"""Thresholds of quiet sound: for quiet speech, for a channel without sound, and for digital silence."""

from __future__ import annotations

# Of 512 recordings of ten kinds the quietest reaches -44 dB; Silero begins to miss speech below -60 dB.
QUIET_DB = -50.0
WORD_DB = -30.0  # a single word is louder, unless it is as quiet as the rest
NOISE_DB = -80.0  # a channel that stays below it holds the last bit of a converter
SILENCE = 1e-13  # of power, -130 dB: encoders make that of digital silence
