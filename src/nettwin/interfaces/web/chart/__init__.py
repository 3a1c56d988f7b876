"""Charts of the pages: `series`, lines over time."""
