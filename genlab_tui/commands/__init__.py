"""The bodies of the command line's verbs: one file a group of verbs, imported when it is called."""
