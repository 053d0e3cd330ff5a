"""Whisper's decoding rules, whatever computes its network."""
