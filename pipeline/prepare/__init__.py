"""Prepare jobs: look at a film or a folder, and decide every setting."""
