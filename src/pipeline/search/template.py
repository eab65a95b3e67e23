"""The page of a sweep."""

from pipeline.data.profile.document import BEGIN, END

STYLE = """
pre { background: #f6f6f6; padding: .6em .8em; white-space: pre-wrap; overflow-wrap: anywhere; margin: .3em 0; }
img { max-width: 100%; background: #fff; } .jobs td { border-top: 1px solid #ddd; white-space: nowrap; }
.wide { overflow-x: auto; } .front td { background: #fdf1e2; }
"""

BODY = """{% if command %}
<p>This sweep, to give again or to go on with:</p>
<pre>{{ command }}</pre>
{% endif %}
{% for title, text in best %}
<p>{{ title }}</p>
<pre>{{ text }}</pre>
{% endfor %}
<h2>To know</h2>
<ul>
{% for remark in remarks %}
<li><bdi>{{ remark }}</bdi></li>
{% endfor %}
</ul>
{% for title, explained, source in plots %}
<h2>{{ title }}</h2>
<p class="quiet">{{ explained }}</p>
<img alt="{{ title }}" src="{{ source }}">
{% endfor %}
{% if left_out %}<p>To keep this page small, these plots are files beside it: {{ left_out }}.</p>{% endif %}
<h2>Jobs</h2>
<p class="quiet">Best first.{% if rest %} {{ rest }} more jobs are further behind.{% endif %}</p>
<div class="wide"><table class="jobs">
<thead><tr>{% for name in header %}<th>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for in_front, cells in rows %}
<tr{% if in_front %} class="front"{% endif %}>{% for cell in cells %}<td>{{ cell }}</td>{% endfor %}</tr>
{% endfor %}
</tbody>
</table></div>
"""

PAGE = BEGIN + BODY + END
