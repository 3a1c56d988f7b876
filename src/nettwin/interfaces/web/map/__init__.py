"""The map: a network on a canvas.

network_map   the element, with network_map.js      layers     what it shows of links
topology      nodes and links as the map fetches them
outlines.json coasts and borders: Natural Earth 1:110m (public domain), by way of world-atlas 2.0.2
"""
