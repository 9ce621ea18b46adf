"""Looking at datasets and models: checks, statistics, pictures, cost."""
