"""The population engine: members in, curves out."""
