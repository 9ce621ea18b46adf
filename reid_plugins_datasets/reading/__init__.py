"""What the datasets read with."""
