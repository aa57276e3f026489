"""Answers how the running hydra.utils.instantiate calls its targets."""

from dataclasses import dataclass, field, fields
from typing import Any, List, Optional

from hydra.utils import instantiate as hydra_instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf
from recorder import Called


@dataclass
class Inner:
    n: int = 1
    l: List[int] = field(default_factory=lambda: [4])
    t: Any = None


@dataclass
class Outer:
    inner: Inner = field(default_factory=Inner)
    x: Optional[int] = 2


def told(value):
    """Of each dict and list, whether it is a config or plain."""
    if isinstance(value, Called):
        called = [told(each) for each in value.args]
        if called and not value.kwargs and isinstance(value.args[-1], dict):
            # Whoever is called cannot tell it from the named ones.
            called[-1] = {"named": [[key, told(each)] for key, each in value.args[-1].items()]}
        # JavaScript has no named arguments: they are one object behind the others.
        if value.kwargs or not called:
            called.append({"named": [[key, told(each)] for key, each in value.kwargs.items()]})
        return {"call": value.name, "args": called}
    if isinstance(value, (DictConfig, dict)):
        made = {"map": [[key, told(each)] for key, each in items(value)]}
        return {"config" if isinstance(value, DictConfig) else "plain": made}
    if isinstance(value, (ListConfig, list, tuple)):
        made = [told(each) for each in (value._iter_ex(resolve=False) if isinstance(value, ListConfig) else value)]
        return {"config" if isinstance(value, ListConfig) else "plain": made}
    if isinstance(value, (Inner, Outer)):
        return {"object": type(value).__name__, "fields": [[each.name, told(getattr(value, each.name))] for each in fields(value)]}
    if callable(value):
        return {"partial": told(value())}
    return value


def items(value):
    return value.items_ex(resolve=False) if isinstance(value, DictConfig) else value.items()


def instantiate(text, args, kwargs, path="", typed=None):
    """`typed` is merged last, over a structured config at `part.s`."""
    config = OmegaConf.create(text)
    if typed is not None:
        base = OmegaConf.create({"part": {"s": OmegaConf.structured(Outer)}})
        config = OmegaConf.merge(base, config, OmegaConf.create(typed))
    if path:
        config = OmegaConf.select(config, path)
    return {"made": told(hydra_instantiate(config, *args, **kwargs))}
