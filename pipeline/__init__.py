"""Job staging: jobs, settings, hardware, media files, locks, logs and markers. Knows no speech and imports no ML package."""

import sys

if sys.argv[:1] == ["-m"]:  # what Python calls a command until it has found it: nothing else was imported yet
    from sutradhar.pipeline.processes.starting import begin

    begin()
