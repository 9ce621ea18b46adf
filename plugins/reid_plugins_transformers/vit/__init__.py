"""Vision transformers: patches, positions, and the blocks behind them."""
