"""The one account of text: its characters, scripts, words, sentences and numbers. Every stage asks here, so that none
disagrees with another."""
