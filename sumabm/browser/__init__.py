"""The browser: watch a run, steer it, replay a stored one, on Mesa's SolaraViz.

`serve` starts it. What a page shows is a `frame`, made by a `live` run or a `stored` one, drawn by
``panels``; nothing else of sumabm knows of this room.
"""
