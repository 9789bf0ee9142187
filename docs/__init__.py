"""The documentation: pages by hand, and what generates the reference from the code."""
