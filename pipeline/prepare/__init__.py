"""Prepares jobs: looks at a film or a folder, and decides every setting."""
