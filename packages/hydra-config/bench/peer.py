"""Runs one piece of work of the benchmark with a library of Python: the commands of a subject, a line of JSON each.

usage: peer.py hydra|lerna WORK
"""

import json
import sys
import time
import warnings

warnings.simplefilter("ignore")
library, work = sys.argv[1:3]

if library == "lerna":
    from lerna import compose, initialize_config_dir
    from lerna.core.global_hydra import GlobalHydra
    from lerna.core.override_parser.overrides_parser import OverridesParser
else:
    from hydra import compose, initialize_config_dir
    from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
    from hydra.core.global_hydra import GlobalHydra
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from hydra.types import RunMode

from omegaconf import OmegaConf


def composing(folder):
    def call(case):
        GlobalHydra.instance().clear()
        with initialize_config_dir(config_dir=folder, version_base="1.3"):
            return compose(config_name=case["config"], overrides=case["overrides"])

    return call, lambda found: OmegaConf.to_yaml(found)


def parsing(overrides):
    parser = OverridesParser.create()
    return lambda case: len(parser.parse_overrides(overrides)), lambda found: found


def sweeping(given):
    GlobalHydra.instance().clear()
    initialize_config_dir(config_dir=given["folder"], version_base="1.3")
    loader = GlobalHydra.instance().config_loader()

    def call(case):
        loader.load_configuration(
            config_name="app", overrides=given["overrides"], run_mode=RunMode.MULTIRUN
        )
        parsed = OverridesParser.create(config_loader=loader).parse_overrides(given["overrides"])
        return BasicSweeper.split_arguments(parsed, None)[0]

    return call, lambda jobs: [len(jobs), jobs[0], jobs[-1]]


def resolving(text):
    config = OmegaConf.create(text)

    def call(case):
        return OmegaConf.to_container(config, resolve=True)

    return call, lambda found: found[list(found)[-1]]


def reading(text):
    config = OmegaConf.create(text)
    return lambda case: config[case].port, lambda found: found


def loading(texts):
    def call(case):
        return OmegaConf.to_yaml(OmegaConf.merge(*[OmegaConf.create(text) for text in texts]))

    return call, lambda found: found


WORKS = {
    "compose": composing,
    "overrides": parsing,
    "sweep": sweeping,
    "interpolations": resolving,
    "get": reading,
    "load and merge": loading,
}


def memory():
    for line in open("/proc/self/status", encoding="ascii"):
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


class Subject:
    def prepare(self, input, cases, **_):
        before = memory()
        self.call, self.answer = WORKS[work](input)
        self.cases, self.at = cases, 0
        return {"rssBytes": memory() - before}

    def answers(self, **_):
        return {"answers": [self.answer(self.call(case)) for case in self.cases]}

    def timed(self, calls):
        started = time.perf_counter_ns()
        for _ in range(calls):
            self.call(self.cases[self.at])
            self.at = (self.at + 1) % len(self.cases)
        return time.perf_counter_ns() - started

    def warm_up(self, ms, **_):
        spent, best, calls = 0, float("inf"), 1
        while spent <= ms * 1e6:
            took = self.timed(calls)
            spent += took
            best = min(best, took / calls)
            calls *= 2
        return {"nsPerCall": best}

    def round(self, calls, **_):
        return {"ns": self.timed(calls)}

    def allocation(self, **_):
        return {}


subject = Subject()
for line in sys.stdin:
    question = json.loads(line)
    name, op = question.pop("id"), question.pop("op")
    try:
        answer = {"ok": getattr(subject, op.replace("-", "_"))(**question)}
    except Exception as error:
        answer = {"error": {"code": "FAILED", "message": f"{type(error).__name__}: {error}"[:400]}}
    print(json.dumps({"id": name, **answer}), flush=True)
