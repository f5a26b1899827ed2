"""Files that scripts store: `listAssets`, `fetchAsset`, `upsertAsset`, `deleteAsset`, and the API for people."""
