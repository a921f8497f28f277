"""PyPI's address: the only place in the code that has it."""

from __future__ import annotations

PYPI_SIMPLE = "https://pypi.org/simple/"
"""The root of PyPI's Simple API (PEP 503), what `root/pypi` mirrors unless it is told otherwise."""

PYPI_UPLOAD = "https://upload.pypi.org/legacy/"
"""Where uploads to PyPI go: the repository "pypi" of a .pypirc that does not say another."""

PYPI_PROJECT_PAGE = "https://pypi.org/project/{name}/"
"""Where a person reads about a project; devpi's `mirror_web_url_fmt`."""
