"""Files that are served: those of `public/`, and those that scripts store with `upsertAsset`."""
