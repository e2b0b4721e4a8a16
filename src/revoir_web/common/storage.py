"""How static files are stored."""

from __future__ import annotations

from django.contrib.staticfiles.storage import HashedFilesMixin
from whitenoise.storage import CompressedManifestStaticFilesStorage

_MODULES = HashedFilesMixin._js_module_import_aggregation_patterns  # type: ignore[attr-defined]


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # no types
    """Names with a hash of the content, in the imports of our own modules too."""

    # Scripts of other packages are left as they are: one of them has an import in a comment.
    patterns = (*HashedFilesMixin.patterns, ("revoir/*.js", _MODULES[1]))
