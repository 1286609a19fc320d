"""Everything a person can ask for, one function each: gather, ask the core, record.

The door of this room is its list of subjects: callers import the subject
(``from headframe.desk import policy``), so that a command pays only for what it needs.
"""
