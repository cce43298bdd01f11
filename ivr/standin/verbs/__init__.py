"""The provider's verbs, one small module each: what the verb may carry (``SPEC``) and what it does (``run``)."""
