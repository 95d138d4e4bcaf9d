"""Answers made of quotes, and refusals."""
