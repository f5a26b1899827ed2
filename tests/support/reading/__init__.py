"""A reader: sees a document as it is rendered, and does at a terminal what it says."""
