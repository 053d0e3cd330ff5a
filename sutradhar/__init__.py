"""Films to subtitles, recordings to transcripts, on your own machine."""
