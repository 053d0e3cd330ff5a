"""Jobs on disk: settings, stages and their artifacts, completion markers."""
