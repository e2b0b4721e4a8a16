"""Compile the gettext catalogues before a wheel (or an editable install) is built."""

import runpy
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class CatalogueHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch's door to ``tools/catalogues.py``."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile before the files are collected."""
        tool = runpy.run_path(str(Path(self.root) / "tools" / "catalogues.py"))
        tool["compile_catalogues"](Path(self.root))
