"""Sound at 16 kHz, mono: where in it somebody speaks, and what is wrong with it."""
