"""The command that collects logs of evaluations into a table of runs."""

from __future__ import annotations

from pathlib import Path

import click

from bayes_scaling.cli.options import Strings, require_outputs
from bayes_scaling.errors import DataError

INCOMPLETE = 1  # exit status: the table was written, but a law needs more


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--manifest", type=click.Path(path_type=Path), help="CSV or TOML: model, params, tokens, mixture, seed …")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="CSV for the table of runs.")
@click.option("--parts", is_flag=True, help="Take the tasks of groups such as MMLU instead of the groups.")
@click.option("--metric", multiple=True, metavar="BENCHMARK=METRIC", help="Such as arc_easy=acc_norm (repeat).")
@click.option("--filter", "filters", multiple=True, metavar="BENCHMARK=FILTER", help="Such as gsm8k=strict-match.")
@click.option("--left-out", type=click.Path(path_type=Path), help="CSV for what was not taken, with the reasons.")
@click.option("--force", is_flag=True, help="Replace files.")
@click.pass_context
def collect(
    ctx: click.Context, paths: tuple[Path, ...], manifest: Path | None, out: Path, parts: bool, metric: Strings,
    filters: Strings, left_out: Path | None, force: bool,
) -> None:  # fmt: skip
    """Make a table of runs from logs of lm-evaluation-harness, Every Eval Ever, OLMES, evalplus or HELM.

    PATHS are files, or folders that hold them.  Exit status 1 means that the table was written, but lacks something.
    """
    inputs = {"--manifest": manifest} | {f"the log {path}": path for path in paths}
    require_outputs({"--out": out, "--left-out": left_out}, inputs, force=force)
    from bayes_scaling.files.writing import write_whole
    from bayes_scaling.logs.collecting import collect_logs
    from bayes_scaling.reporting.terminal import overview, table_text, wrapped

    found = collect_logs(
        paths,
        manifest,
        groups="parts" if parts else "whole",
        metrics=_pairs("--metric", metric),
        filters=_pairs("--filter", filters),
    )
    reasons = found.left_out.groupby("reason", sort=False).agg(files=("file", "nunique"), entries=("what", "size"))
    if len(reasons):
        click.echo("left out:")
        click.echo(table_text(reasons.reset_index()))
    write_whole(out, found.table.to_csv(index=False).encode())
    click.echo(f"wrote {out}: {len(found.table)} rows, {found.table['run'].nunique()} runs, "
               f"{found.table['benchmark'].nunique()} benchmarks")  # fmt: skip
    if left_out:
        write_whole(left_out, found.left_out.to_csv(index=False).encode())
        click.echo(f"wrote {left_out}")
    if found.missing:
        click.echo("missing:", err=True)
        for one in found.missing:
            click.echo(wrapped("  ", one), err=True)
        ctx.exit(INCOMPLETE)
    click.echo(overview(found.runs()))


def _pairs(option: str, given: Strings) -> dict[str, str]:
    """BENCHMARK=VALUE as a mapping."""
    if bad := [pair for pair in given if not all(pair.partition("="))]:
        raise DataError(f"{option} needs BENCHMARK=VALUE, such as gsm8k=strict-match, not {bad[0]!r}")
    return dict(pair.split("=", 1) for pair in given)
