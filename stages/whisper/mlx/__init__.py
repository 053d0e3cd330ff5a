"""Whisper on MLX: network, decoder and model converter; no knowledge of jobs."""
