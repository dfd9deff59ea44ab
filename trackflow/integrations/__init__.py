"""Other apps' documents: one module per DocType, from its hooks to its fields. Nothing here can fail a save."""
