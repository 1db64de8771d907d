"""All registered laws, in whichever module they stand.

A module of this package that defines laws is listed in `MODULES`; a law of the user's own is registered by
its decorator, wherever it stands.
"""

from bayes_scaling import bends, forms, losses

MODULES = (forms, bends, losses)
FORMS = forms.FORMS
