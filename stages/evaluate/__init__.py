"""Judge what was recognised by a reference: error rates and their causes, times, speakers, subtitles.

`readers/` reads files, `recordings` finds them, `comparing` aligns the words of both sides, `measures/` has what is
measured, `evaluation` puts it together, and `table` shows it.
"""
