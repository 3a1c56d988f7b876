"""Workspace: one twin on disk, with its network, history, intents, policy and people.

workspace    the folder and what is in it          settings   nettwin.toml, read with line numbers
template     nettwin.toml as `nettwin init` writes it
people       who may do what                       policy     what may change without a person
approval     a plan that may be applied
"""
