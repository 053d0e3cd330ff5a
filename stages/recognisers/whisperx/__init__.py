"""The recogniser WhisperX."""
