"""The stages of a folder of recordings, and what only they share."""
