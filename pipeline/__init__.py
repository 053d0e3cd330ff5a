"""Job staging: jobs, settings, hardware, media files, locks, logs and markers. Knows no speech and imports no ML package."""
