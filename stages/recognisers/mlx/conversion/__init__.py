"""Whisper models of other forms, converted to mlx-whisper's.

To take a further form, write its reader beside these, and add it to `readers` and `WEIGHTS` in
`stages/recognisers/mlx/convert.py`.
"""
