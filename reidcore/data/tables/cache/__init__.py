"""Tables of datasets, kept between runs for as long as their files stay the same."""
