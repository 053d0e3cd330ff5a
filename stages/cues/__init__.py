"""The way from words to cues, and from cues to files: cutting, lines, times, rules and formats."""
