"""Shapes: frozen dataclasses that are made of what somebody wrote, once pydantic has checked it.

A shape is declared once, and pydantic is imported when something is to be checked: to import it and to build what
checks takes a third of a command line's time, which mostly has nothing to check (``service.plain``). Annotations name
the types of ``service.field_types``, which are looked up only then.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

if TYPE_CHECKING:
    from pydantic import BaseModel

_MODELS: dict[type[Shape], type[BaseModel]] = {}

GIVEN = "given"
"""A field of this name holds the names of the fields that were given; it is not checked, and nobody gives it."""


class Shape:
    """What pydantic can check. Kinds are frozen dataclasses, whose ``__post_init__`` may raise ValueError."""

    __slots__ = ()

    examples: ClassVar[tuple[dict[str, Any], ...]] = ()
    """For ``/v1/openapi.json``."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: Any) -> Any:
        """Let annotations of models name shapes (pydantic's own hook)."""
        del source
        return handler.generate_schema(model_of(cls))


_Checked = TypeVar("_Checked", bound=Shape)


def checked(kind: type[_Checked], data: object) -> _Checked:
    """Return the ``kind`` that ``data`` says.

    Raises:
        pydantic.ValidationError: with every fault.
    """
    made: Any = model_of(kind).model_validate(data)  # its last validator makes the shape
    assert isinstance(made, kind)
    return made


def reason(fault: Mapping[str, Any]) -> str:
    """Return what pydantic found, in its words; but those that name a class of ours say nothing to a caller."""
    if fault["type"] == "model_type":
        return "Input should be an object, with a value for each name"
    return str(fault["msg"]).removeprefix("Value error, ")


def reasons(error: ValueError) -> str:
    """Return what is wrong, without its places: of a fault that a shape found itself, or of all that pydantic found."""
    told = getattr(error, "errors", None)
    return str(error) if told is None else "; ".join(map(reason, told(include_input=False, include_url=False)))


def _without_given(shown: dict[str, Any]) -> None:
    shown["default"].pop(GIVEN, None)


def model_of(kind: type[Shape]) -> type[BaseModel]:
    """Return the model that checks ``kind`` and makes it. Fields that it has not are refused."""
    made = _MODELS.get(kind)
    if made is None:
        made = _MODELS[kind] = _model(kind)
    return made


def _model(kind: type[Shape]) -> type[BaseModel]:
    from pydantic import ConfigDict, Field, create_model, model_validator  # noqa: PLC0415 - see above

    from . import field_types  # noqa: PLC0415 - see above

    types = typing.get_type_hints(kind, localns=vars(field_types), include_extras=True)
    every = dataclasses.fields(typing.cast("Any", kind))
    own = [one for one in every if one.name != GIVEN]
    remembers = len(own) < len(every)

    def make(model: Any) -> Shape:
        given = {GIVEN: frozenset(model.model_fields_set)} if remembers else {}
        return kind(**{one.name: getattr(model, one.name) for one in own}, **given)

    def stated(one: dataclasses.Field[Any]) -> Any:
        if isinstance(one.default, Shape):
            return Field(default=one.default, json_schema_extra=_without_given)
        if one.default is not dataclasses.MISSING:
            return one.default
        make_default: Any = one.default_factory
        if make_default in {list, dict}:
            return make_default()  # so that it is shown; pydantic copies it
        return ... if make_default is dataclasses.MISSING else Field(default_factory=make_default)

    config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    if kind.examples:
        config["json_schema_extra"] = {"examples": list(kind.examples)}
    validators: Any = {"make": model_validator(mode="after")(make)}
    fields: dict[str, Any] = {one.name: (types[one.name], stated(one)) for one in own}
    return create_model(
        kind.__name__,
        __config__=config,
        __doc__=kind.__doc__,
        __module__=kind.__module__,
        __validators__=validators,
        **fields,
    )
