"""Neural and pretrained features. Each file imports its own runtime, lazily; nothing here fetches anything."""
