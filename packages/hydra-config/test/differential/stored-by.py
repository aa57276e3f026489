"""What a program puts into Hydra's ConfigStore: its dataclasses as `typed-case.ts` has them, other nodes as YAML."""

import dataclasses
import enum
import json
import os
import pathlib
import runpy
import sys
import types
import typing

import hydra
import tags
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf

PLAIN = {int: "int", float: "float", bool: "bool", str: "str", bytes: "bytes", pathlib.Path: "path", typing.Any: "any"}

# What the script defines, for the types that are given as texts.
NAMES = {}


def stored_by(folder, script):
    """Runs a script up to its app, in a process forked from this one."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        tell(folder, script, writing)
    os.close(writing)
    with os.fdopen(reading) as answer:
        text = answer.read()
    os.waitpid(child, 0)
    return json.loads(text)


def tell(folder, script, writing):
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = [script]
    sys.dont_write_bytecode = True
    before = set(nodes(ConfigStore.instance().repo))
    for stream in (1, 2):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
    hydra.main = lambda **given: lambda task: lambda *args: None
    try:
        NAMES.update(runpy.run_path(script, run_name="__main__"))
        found = nodes(ConfigStore.instance().repo)
        structs = {}
        store = [entry(path, node, structs) for path, node in found.items() if path not in before]
        answer = {"structs": list(structs.values()), "store": store}
    except BaseException as error:
        answer = {"failed": f"{type(error).__name__}: {error}"}
    with os.fdopen(writing, "w") as out:
        json.dump(answer, out)
    os._exit(0)


def nodes(folder, path=""):
    found = {}
    for name, each in folder.items():
        found.update(nodes(each, f"{path}{name}/") if isinstance(each, dict) else {f"{path}{name}": each})
    return found


def entry(path, stored, structs):
    told = {"name": path.removesuffix(".yaml")}
    if stored.package is not None:
        told["package"] = stored.package
    kind = OmegaConf.get_type(stored.node)
    if isinstance(stored.node, DictConfig) and dataclasses.is_dataclass(kind):
        return {**told, "struct": struct(kind, structs)}
    return {**told, "text": OmegaConf.to_yaml(stored.node)}


def struct(kind, structs):
    """The name of a dataclass, told after those that its fields are of."""
    name = kind.__name__
    if name in structs and structs[name] is None:
        raise TypeError(f"the dataclass {name} holds itself")
    if name not in structs:
        structs[name] = None
        hints = typing.get_type_hints(kind, NAMES)
        bases = [each for each in kind.__bases__ if dataclasses.is_dataclass(each)]
        base = {"base": struct(bases[0], structs)} if bases else {}
        fields = [field(each, hints[each.name], structs) for each in dataclasses.fields(kind)]
        # Last of those that it needs.
        del structs[name]
        frozen = kind.__dataclass_params__.frozen
        structs[name] = {"name": name, **base, "frozen": frozen, "fields": fields}
    return name


def field(given, kind, structs):
    return {"name": given.name, "hint": hint(kind, structs), "default": default(given, structs)}


def default(given, structs):
    made = given.default_factory() if given.default is dataclasses.MISSING and given.default_factory is not dataclasses.MISSING else given.default
    if made is dataclasses.MISSING or (isinstance(made, str) and made == "???"):
        return {"missing": True}
    if dataclasses.is_dataclass(made):
        if made != type(made)():
            raise TypeError(f"{given.name} has a default of its own")
        return {"struct": struct(type(made), structs)}
    return {"value": tags.tagged(made, tagged_default)}


def tagged_default(value):
    if isinstance(value, enum.Enum):
        return value.name
    raise TypeError(f"a default of type {type(value).__name__}")


def hint(kind, structs):
    arguments = typing.get_args(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType) and type(None) in arguments:
        others = tuple(each for each in arguments if each is not type(None))
        return {"type": type_of(typing.Union[others], structs), "optional": True}
    return {"type": type_of(kind, structs), "optional": kind is typing.Any}


def type_of(kind, structs):
    if kind in PLAIN:
        return {"t": PLAIN[kind]}
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        return {"t": "union", "of": [type_of(each, structs) for each in arguments]}
    if origin is list:
        return {"t": "list", "of": hint(arguments[0], structs)}
    if origin is dict:
        return {"t": "dict", "key": type_of(arguments[0], structs), "of": hint(arguments[1], structs)}
    if dataclasses.is_dataclass(kind):
        return {"t": "struct", "name": struct(kind, structs)}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        members = [[each.name, tags.tagged(each.value, tagged_default)] for each in kind]
        return {"t": "enum", "name": kind.__name__, "members": members}
    raise TypeError(f"a field of type {kind}")
