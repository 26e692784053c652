"""Programs and states as files, ours and those of others."""
