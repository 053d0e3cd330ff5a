"""IndicTrans2 (AI4Bharat, MIT): 22 languages of India and English, by a checkpoint for each direction.

`engine` translates sentences; `ct2` (CTranslate2: CPU, CUDA) and `mlx` (Apple GPU; MLX's CPU and CUDA builds)
compute. Both load the hub's own files: no transformers, no remote code.
"""
