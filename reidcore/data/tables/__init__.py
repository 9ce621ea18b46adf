"""Samples as columns: tables of them, merged or kept between runs."""
