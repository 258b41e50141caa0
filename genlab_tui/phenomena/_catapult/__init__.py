"""The parts of the catapult phenomenon."""
