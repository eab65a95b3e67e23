"""`python -m pipeline.inspect path=data/raw/penguins.csv target=species`: what a table holds, and a YAML for it."""

from pipeline.cli import argument_command
from pipeline.config import InspectConfig
from pipeline.layout import Layout


def inspect(config: InspectConfig) -> None:
    """Print what was found in the files of a table, and the YAML that it leads to. Nothing is written, unless
    `write=<name>` asks for conf/dataset/<name>.yaml, an experiment with it, and a line for each in params.yaml.

    `task=regression`, `binary` or `multiclass` says what is asked of the target, where it should not follow from it.
    """
    from pipeline.compose import load_params
    from pipeline.inspecting.command import look_and_propose

    layout = Layout.find()
    look_and_propose(config, load_params(layout).split, layout)


def main() -> None:
    argument_command(InspectConfig, inspect, __doc__)


if __name__ == "__main__":
    main()
