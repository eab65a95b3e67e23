"""The page of a dataset."""

from pipeline.data.profile.document import BEGIN, END

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 1.5em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin: 0 0 .2em; } h2 { font-size: 1.15em; margin: 1.6em 0 .4em; }
table { border-collapse: collapse; } td, th { padding: .25em .8em .25em 0; text-align: left; vertical-align: top; }
th { color: #666; font-weight: 600; } td.number, th.number { text-align: right; white-space: nowrap; }
.columns > tbody > tr > td { border-top: 1px solid #ddd; padding-top: .6em; padding-bottom: .6em; }
.columns > tbody > tr > td:first-child { min-width: 7em; }
.bars td { padding: .05em .7em .05em 0; } .bars td.wide { width: 220px; }
.bar { height: 7px; min-width: 1px; } .train { background: #3b6ea5; fill: #3b6ea5; }
.test { background: #e08a2c; fill: #e08a2c; } .key { display: inline-block; width: .8em; height: .8em; }
.ends { display: flex; justify-content: space-between; width: 260px; color: #666; font-size: .85em; }
svg { background: #f6f6f6; } ul { margin: .2em 0; padding-left: 1.2em; } p { margin: .5em 0 .2em; }
.pictures img { image-rendering: pixelated; min-width: 48px; margin: 0 3px 3px 0; } .quiet { color: #666; }
.pictures.sounds img { height: 80px; }
bdi { overflow-wrap: anywhere; white-space: pre-wrap; }
"""

BODY = """<h2>Rows</h2>
<table>
<tr><th></th>{% for split in splits %}<th class="number">{{ split }}</th>{% endfor %}</tr>
{% for label, counts in rows %}
<tr><td><bdi>{{ label }}</bdi></td>{% for count in counts %}<td class="number">{{ count }}</td>{% endfor %}</tr>
{% endfor %}
</table>
<h2>To know</h2>
<ul>
{% for remark in remarks %}
<li><bdi>{{ remark }}</bdi></li>
{% endfor %}
</ul>
<h2>Columns</h2>
<p class="quiet"><span class="key train"></span> training, <span class="key test"></span> test. {{ sampled }}</p>
<table class="columns">
<thead><tr><th>name</th><th>type</th><th class="number">missing</th><th class="number">distinct</th><th>range</th>
<th>values</th></tr></thead>
<tbody>
{% for column in columns %}
<tr><td><bdi>{{ column.name }}</bdi></td><td>{{ column.type }}</td><td class="number">{{ column.missing }}</td>
<td class="number">{{ column.distinct }}</td><td>{{ column.range }}</td><td>{{ column.details }}</td></tr>
{% endfor %}
</tbody>
</table>
{% if left_out %}<p>{{ left_out }}</p>{% endif %}
"""

PAGE = BEGIN + BODY + END
