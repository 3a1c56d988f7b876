"""Reports: answers that can be handed on, as one HTML file or as Markdown with its pictures.

report     headings, paragraphs, tables, pictures     capacity   the report of a capacity plan
"""
