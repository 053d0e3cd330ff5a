"""Checks for every converter of Whisper models: the results of a model by another engine, and the origin of a
copy."""
