"""All registered laws, in whichever module they stand.

A module of this package that defines laws is listed in `MODULES`; a law of the user's own is registered by
its decorator, wherever it stands.
"""

from bayes_scaling.laws import basic as forms
from bayes_scaling.laws import changing_exponent as bends
from bayes_scaling.laws import registry
from bayes_scaling.laws import two_stage as losses

MODULES = (forms, bends, losses)
FORMS = registry.FORMS
