"""Classes for the tests of package pickle."""
import enum
import sys
from collections import namedtuple


class Color(enum.Enum):
    RED = 1
    GREEN = 2


class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


class Access(enum.IntFlag):
    READ = 1
    WRITE = 2


Pair = namedtuple("Pair", "left right")


class Node:
    def __init__(self, name, next=None):
        self.name = name
        self.next = next

    def __eq__(self, other):
        return type(other) is Node and (self.name, self.next) == (other.name, other.next)

    __hash__ = object.__hash__


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __eq__(self, other):
        return type(other) is Slotted and (self.x, self.y) == (other.x, other.y)


class Bag(list):
    pass


class Table(dict):
    pass


class Strange(Exception):
    def __init__(self, code):
        super().__init__(code)
        self.code = code


if sys.version_info >= (3, 7):
    from dataclasses import dataclass

    @dataclass
    class Point:
        x: int
        y: float = 0.0

if sys.version_info >= (3, 10):

    @dataclass(frozen=True, slots=True)
    class Frozen:
        first_name: str
        size: int
