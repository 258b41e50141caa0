"""The population engine: members in, curves out. `train.train` is the way in; importing this package loads no torch."""
