"""Whisper's decoding rules, for any engine that computes its network."""
