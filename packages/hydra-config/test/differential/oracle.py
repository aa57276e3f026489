"""Answers questions about Hydra and OmegaConf with the real ones: a line of JSON in, a line of JSON out.

Values are tagged so that JSON loses nothing: {"i": "12"} an integer, {"f": "1e-05"} a float as Python prints it,
{"m": [[key, value], ...]} a mapping in order, {"b": "00ff"} bytes.
"""

import importlib
import contextlib
import io
import json
import os
import pathlib
import runpy
import sys
import tempfile
import traceback
import warnings

import hydra
import tags
from hydra import compose, initialize_config_dir
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser import overrides_visitor
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Glob,
    IntervalSweep,
    QuotedString,
    RangeSweep,
)
from hydra.types import RunMode
from omegaconf import DictConfig, ListConfig, OmegaConf

warnings.simplefilter("ignore")
LAST_OFFSET = None


class OffsetListener(overrides_visitor.HydraErrorListener):
    """Remembers where the parser met what it could not take."""

    def syntaxError(self, recognizer, offending_symbol, line, column, msg, e):
        global LAST_OFFSET
        at = getattr(e, "startIndex", None)
        LAST_OFFSET = offending_symbol.start if offending_symbol is not None else at
        super().syntaxError(recognizer, offending_symbol, line, column, msg, e)


sys.modules["hydra.core.override_parser.overrides_parser"].HydraErrorListener = OffsetListener


def tagged(value):
    return tags.tagged(value, tagged_special)


def tagged_special(value):
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, (DictConfig, ListConfig)):
        return tagged(OmegaConf.to_container(value, resolve=False))
    return tagged_sweep(value)


def tagged_sweep(sweep):
    if isinstance(sweep, ChoiceSweep):
        return {
            "choice": [tagged(item) for item in sweep.list],
            "simple": sweep.simple_form,
            "shuffle": sweep.shuffle,
            "tags": sorted(sweep.tags),
        }
    if isinstance(sweep, RangeSweep):
        return {
            "range": [tagged(sweep.start), tagged(sweep.stop), tagged(sweep.step)],
            "shuffle": sweep.shuffle,
            "tags": sorted(sweep.tags),
        }
    if isinstance(sweep, IntervalSweep):
        return {"interval": [tagged(sweep.start), tagged(sweep.end)], "tags": sorted(sweep.tags)}
    if isinstance(sweep, Glob):
        return {"glob": [tagged(sweep.include), tagged(sweep.exclude)]}
    raise AssertionError(f"no tag for {type(sweep)}")


def override(text):
    parsed = OverridesParser.create().parse_overrides([text])[0]
    return {
        "key": parsed.key_or_group,
        "package": parsed.package,
        "type": parsed.type.name,
        "value": tagged(parsed._value),
    }


def in_folder(files, ask):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        GlobalHydra.instance().clear()
        with initialize_config_dir(config_dir=folder, version_base="1.3"):
            return ask(GlobalHydra.instance().config_loader())


def defaults(files, config, overrides=()):
    def ask(loader):
        found = loader.compute_defaults_list(
            config_name=config, overrides=list(overrides), run_mode=RunMode.RUN
        )
        own = [each for each in found.defaults if not (each.config_path or "").startswith("hydra/")]
        return [{"config": each.config_path, "package": each.package} for each in own]

    return {"list": in_folder(files, ask)}


def composed(files, config, overrides=(), resolve=False):
    def ask(_):
        config_found = compose(config_name=config, overrides=list(overrides))
        if resolve:
            OmegaConf.resolve(config_found)
        return tagged(config_found)

    return {"value": in_folder(files, ask)}


def sweep(files, config, overrides=()):
    def ask(loader):
        master = loader.load_configuration(
            config_name=config, overrides=list(overrides), run_mode=RunMode.MULTIRUN
        )
        params = master.hydra.sweeper.params or {}
        texts = [f"{key}={value}" for key, value in params.items()] + list(master.hydra.overrides.task)
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(texts)
        jobs = BasicSweeper.split_arguments(parsed, None)[0]
        for job in jobs:
            loader.load_sweep_config(master, job)
        return jobs

    return {"jobs": in_folder(files, ask)}


def interpolate(text, key):
    found = OmegaConf.select(OmegaConf.create(text), key, throw_on_missing=True)
    if isinstance(found, (DictConfig, ListConfig)):
        found = OmegaConf.to_container(found, resolve=True)
    return {"value": tagged(found)}


def resolved(text, how):
    """With resolvers of a user, which look at all their arguments: `count` and, with a cache, `once` count their calls."""
    calls = [0]

    def count(*args):
        show(*args)
        calls[0] += 1
        return calls[0]

    def shown(value):
        if isinstance(value, (DictConfig, ListConfig)):
            return OmegaConf.to_container(value, resolve=True)
        if isinstance(value, list):
            return [shown(item) for item in value]
        if isinstance(value, dict):
            return {str(key): shown(item) for key, item in value.items()}
        return value

    def show(*args):
        return json.dumps([shown(each) for each in args], separators=(",", ":"), ensure_ascii=False)

    resolvers = {
        "count": (count, False),
        "once": (count, True),
        "show": (show, False),
        "made": (lambda *args: show(*args) and {"e": [1, "${a}"]}, False),
        "pick": (lambda *args: args[0] if show(*args) and args and isinstance(args[0], str) else "none", False),
        "my.e": (lambda *args: show(*args) and "my", False),
    }
    for name, (resolver, use_cache) in resolvers.items():
        OmegaConf.register_new_resolver(name, resolver, use_cache=use_cache, replace=True)
    config = OmegaConf.create(text)
    if how == "resolve":
        OmegaConf.resolve(config)
        return {"value": tagged(config)}
    return {"value": tagged(OmegaConf.to_container(config, resolve=True))}


MY_APP = """import hydra
from omegaconf import OmegaConf


@hydra.main(version_base="1.3", config_path=".", config_name="config")
def my_app(cfg):
    print(OmegaConf.to_yaml(cfg))


if __name__ == "__main__":
    my_app()
"""


def cli(files, argv, environment=None):
    """Runs a real my_app.py, in a process forked from this one: its folder is told as /app."""
    with tempfile.TemporaryDirectory() as created:
        folder = os.path.realpath(created)
        for name, text in files.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.replace("/app", folder).encode())
        pathlib.Path(folder, "my_app.py").write_text(MY_APP)
        argv = [each.replace("/app", folder) for each in argv]
        environment = {name: text.replace("/app", folder) for name, text in (environment or {}).items()}
        told = forked(folder, "my_app.py", argv, environment)
        saved = {}
        for path in sorted(pathlib.Path(folder).rglob("*")):
            name = path.relative_to(folder).as_posix()
            if path.is_file() and name not in files and name != "my_app.py":
                saved[name] = path.read_text().replace(folder, "/app")
        return {"saved": saved, **told}


def forked(folder, script, argv, environment=None, once=False):
    """Runs a script in a process forked from this one: its folder is told as /app. `once`: up to the end of its app."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        child = os.fork()
        if child == 0:
            if once:
                hydra.main = ending(hydra.main)
            run_app(folder, script, argv, environment or {}, out, err)
        _, status = os.waitpid(child, 0)
        told = []
        for stream in (out, err):
            stream.seek(0)
            told.append(stream.read().decode().replace(folder, "/app"))
        return {"stdout": told[0], "exit": os.waitstatus_to_exitcode(status), "stderr": told[1]}


def ending(main):
    """`hydra.main` of an app after which the script ends."""

    def decorated(task, given):
        app = main(**given)(task)

        def ended():
            app()
            sys.exit(0)

        return ended

    return lambda **given: lambda task: decorated(task, given)


def run_app(folder, script, argv, environment, out, err):
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.dont_write_bytecode = True
    os.environ.update({"COLUMNS": "80", **environment})
    os.dup2(out.fileno(), 1)
    os.dup2(err.fileno(), 2)
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)
    sys.argv = [script, *argv]
    GlobalHydra.instance().clear()
    warnings.resetwarnings()
    status = 0
    try:
        runpy.run_path(script, run_name="__main__")
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    except BaseException:
        traceback.print_exc()
        status = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def arguments(program, argv, columns):
    """What Hydra's argparse parser makes of a command line, or what it says before it ends."""
    os.environ["COLUMNS"] = str(columns)
    out, err = io.StringIO(), io.StringIO()
    parser = get_args_parser()
    parser.prog = program
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            return vars(parser.parse_args(argv))
    except SystemExit as ended:
        return {"exit": ended.code, "stdout": out.getvalue(), "stderr": err.getvalue()}


OPERATIONS = {
    "override": override,
    "yaml": lambda text: {"value": tagged(OmegaConf.create(text))},
    "dump": lambda text: {"text": OmegaConf.to_yaml(OmegaConf.create(text))},
    "merge": lambda texts: {
        "value": tagged(OmegaConf.merge(*[OmegaConf.create(text) for text in texts]))
    },
    "interpolate": interpolate,
    "resolved": resolved,
    "instantiate": importlib.import_module("instantiate-oracle").instantiate,
    # Found when it is asked for: the judge of strict semantics has another OmegaConf, and is not asked for it.
    "typed": lambda **case: importlib.import_module("typed-oracle").typed(**case),
    "stored": lambda **case: importlib.import_module("store-oracle").stored(**case),
    "defaults": defaults,
    "compose": composed,
    "sweep": sweep,
    "cli": cli,
    "app": lambda **case: forked(**case, once=True),
    "stored_by": lambda **case: importlib.import_module("stored-by").stored_by(**case),
    "arguments": arguments,
}


def main():
    global LAST_OFFSET
    for line in sys.stdin:
        question = json.loads(line)
        name = question.pop("id", None)
        LAST_OFFSET = None
        try:
            answer = {"ok": OPERATIONS[question.pop("op")](**question)}
        except Exception as error:
            told = {"class": type(error).__name__, "message": str(error)[:4000]}
            if LAST_OFFSET is not None:
                told["offset"] = LAST_OFFSET
            answer = {"error": told}
        print(json.dumps({"id": name, **answer}), flush=True)


main()
