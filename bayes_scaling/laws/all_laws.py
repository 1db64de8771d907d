"""All registered laws, in whichever module they stand.

A module of this package that defines laws is listed in `MODULES`; a law of the user's own is registered by
its decorator, wherever it stands.
"""

from bayes_scaling.laws import basic, changing_exponent, registry, two_stage

MODULES = (basic, changing_exponent, two_stage)
LAWS = registry.LAWS
