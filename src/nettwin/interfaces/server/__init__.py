"""The server: one application for REST, the web page and MCP.

live    the network and its loop, in a process of their own
"""
