"""The recogniser MLX."""
