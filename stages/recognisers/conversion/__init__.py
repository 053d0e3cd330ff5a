"""Serves every converter of Whisper models: what a model computes by another engine, and what a copy was made of."""
