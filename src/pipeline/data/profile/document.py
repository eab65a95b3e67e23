"""How the pages of datasets and of sweeps begin and end: HTML without scripts, and without anything that would have to
be fetched, which their own head forbids."""

BEGIN = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{{ name }}</title>
<style>{{ style }}</style>
</head>
<body>
<h1>{{ name }}</h1>
<table>
{% for key, value in facts %}
<tr><th>{{ key }}</th><td>{{ value }}</td></tr>
{% endfor %}
</table>
"""
END = """</body>
</html>
"""
