"""Job staging: jobs, settings, hardware, media files, locks, logs and markers. Knows no speech and imports no ML
package."""

import sys

# "-m" is what Python calls a command until it has found it: nothing else was imported yet. The name of the command
# stands before its arguments. The signals and streams of another program that
# imports us stay its own.
if sys.argv[:1] == ["-m"] and sys.orig_argv[-len(sys.argv)].removeprefix("-m").startswith("sutradhar."):
    from sutradhar.pipeline.processes.starting import begin

    begin()
