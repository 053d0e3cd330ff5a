"""Operations that several MLX networks share."""
