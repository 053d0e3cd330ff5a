"""Knows what text is: its characters, scripts, words, sentences and numbers. Every stage asks here, so that none disagrees with another."""
