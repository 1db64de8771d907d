"""``python -m bayes_scaling`` is the command ``bayes-scaling``."""

from bayes_scaling.cli.commands import main

if __name__ == "__main__":
    main(prog_name="python -m bayes_scaling")
