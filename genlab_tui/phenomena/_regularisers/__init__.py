"""Parts of the phenomenon `regularisers`: its config and arms, the rows of its table, its claims, its figures."""
