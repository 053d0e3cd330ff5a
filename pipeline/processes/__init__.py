"""Processes: how commands begin and end, and how they start and end others."""
