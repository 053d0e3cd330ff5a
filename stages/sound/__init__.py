"""Sound at 16 kHz, mono: the stretches where somebody speaks, and its faults."""
