"""The loop, checkpoints, sampling, schedules. Knows no dataset and no model by name."""
