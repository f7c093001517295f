"""What happens in the network. Each activity is a function of the lab and the seconds it may take; each is bounded in count
and in time, and writes a row of truth for what it runs."""
