"""Backups of the four databases: made, checked, restored, pruned. `fittracker backup`, `restore` and `verify-backup`."""
