"""Answers questions about structured configs with the running OmegaConf.

A question has structs (made dataclasses of), the name of the one to begin with, steps and paths to select. Values are
tagged as in oracle.py, besides {"e": "Color.RED"} a member of an enum and {"p": "a/b"} a path.
"""

import dataclasses
import enum
import pathlib
import typing

import tags
import yaml
from omegaconf import MISSING, DictConfig, ListConfig, OmegaConf
from omegaconf._utils import get_yaml_loader

SCALARS = {
    "int": int,
    "float": float,
    "bool": bool,
    "str": str,
    "bytes": bytes,
    "path": pathlib.Path,
    "any": typing.Any,
}


class Schema:
    def __init__(self, structs):
        self.enums = {}
        self.structs = {}
        for each in structs:
            self.structs[each["name"]] = self.struct(each)

    def struct(self, each):
        base = each.get("base")
        fields = []
        for field in each["fields"]:
            fields.append((field["name"], self.hint(field["hint"]), self.default(field)))
        return dataclasses.make_dataclass(
            each["name"],
            fields,
            bases=(self.structs[base],) if base else (),
            frozen=each.get("frozen", False),
        )

    def default(self, field):
        given = field.get("default", {"missing": True})
        if "missing" in given:
            return dataclasses.field(default=MISSING)
        if "struct" in given:
            return dataclasses.field(default_factory=self.structs[given["struct"]])
        value = untagged(given["value"])
        return dataclasses.field(default_factory=lambda: value)

    def hint(self, hint):
        type_ = self.type(hint["type"])
        return typing.Optional[type_] if hint["optional"] and type_ is not typing.Any else type_

    def type(self, type_):
        kind = type_["t"]
        if kind == "enum":
            members = {name: untagged(value) for name, value in type_["members"]}
            return self.enums.setdefault(type_["name"], enum.Enum(type_["name"], members))
        if kind == "union":
            return typing.Union[tuple(self.type(each) for each in type_["of"])]
        if kind == "list":
            return typing.List[self.hint(type_["of"])]
        if kind == "dict":
            return typing.Dict[self.type(type_["key"]), self.hint(type_["of"])]
        if kind == "struct":
            return self.structs[type_["name"]]
        return SCALARS[kind]


def untagged(value):
    if isinstance(value, dict):
        if "i" in value:
            return int(value["i"])
        if "f" in value:
            return float(value["f"])
        if "b" in value:
            return bytes.fromhex(value["b"])
        return {untagged(key): untagged(item) for key, item in value["m"]}
    return [untagged(item) for item in value] if isinstance(value, list) else value


def tagged(value):
    return tags.tagged(value, tagged_special)


def tagged_special(value):
    if isinstance(value, enum.Enum):
        return {"e": f"{type(value).__name__}.{value.name}"}
    if isinstance(value, pathlib.Path):
        return {"p": str(value)}
    raise AssertionError(f"no tag for {type(value)}")


def load(text):
    return yaml.load(text, Loader=get_yaml_loader())


def step(schema, config, each):
    kind = each["op"]
    if kind == "merge":
        return OmegaConf.merge(config, OmegaConf.create(each["text"]))
    if kind == "mergeStruct":
        return OmegaConf.merge(config, OmegaConf.structured(schema.structs[each["name"]]))
    if kind == "under":
        return OmegaConf.merge(OmegaConf.create(each["text"]), config)
    if kind == "update":
        OmegaConf.update(
            config, each["key"], load(each["text"]), merge=each["merge"], force_add=each["forceAdd"]
        )
        return config
    node = config
    for part in each["key"].split(".") if each["key"] else []:
        is_map = isinstance(node, DictConfig) and isinstance(node._value(), dict)
        node = node._get_node(part, validate_access=False) if is_map else None
    if isinstance(node, (DictConfig, ListConfig)):
        (OmegaConf.set_struct if each["flag"] == "struct" else OmegaConf.set_readonly)(node, each["value"])
    return config


def caught(ask):
    try:
        return {"value": ask()}
    except RecursionError:
        raise
    except Exception as error:
        return {"class": type(error).__name__}


def selected(config, key):
    found = OmegaConf.select(config, key)
    if isinstance(found, (DictConfig, ListConfig)):
        found = OmegaConf.to_container(found, resolve=True)
    return tagged(found)


def typed(structs, root, steps, select):
    schema = Schema(structs)
    at = "structured"
    try:
        config = OmegaConf.structured(schema.structs[root])
        for index, each in enumerate(steps):
            at = index
            config = step(schema, config, each)
    except Exception as error:
        return {"error": type(error).__name__, "at": at}
    return {
        "value": tagged(OmegaConf.to_container(config)),
        "missing": caught(lambda: sorted(OmegaConf.missing_keys(config))),
        "selected": [caught(lambda key=key: selected(config, key)) for key in select],
    }

