"""How static files are kept in production."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStatic(CompressedManifestStaticFilesStorage):
    """Names carry a hash, also inside `import` statements: otherwise a module loaded by two names would run twice."""

    support_js_module_import_aggregation = True
