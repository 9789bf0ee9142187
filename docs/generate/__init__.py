"""Reference pages, generated from the code when the site is built: ``python -m docs.generate build/docs``."""
