"""The provider's verbs, one small module each: what it may carry (``SPEC``) and what it does (``run``)."""
