"""MCP: the API for language models, by the Model Context Protocol.

server     what is put together: tools, resources, prompts      gateway   how they ask the API
tools      questions, which change nothing                      deeds     what changes the network
answers    documents made small, with units and uncertainty     prompts   common investigations
"""
