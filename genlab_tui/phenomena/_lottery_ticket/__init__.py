"""The parts of `lottery_ticket`: what its rounds train, its figures, its claims."""
