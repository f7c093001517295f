"""Training of the two towers: an event network and a question network that share one vector space."""
