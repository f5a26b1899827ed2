"""Scripts that manage scripts and read logs: `listScripts`, `upsertScript`, `listLogs` and their like."""
