"""Run jobs: the runner, and the processes of its stages."""
