"""Many runs: listing, showing and comparing them, and sweeps that make them."""
