"""Grafana dashboards as code: `python -m deploy.dashboards` writes the JSON that Grafana is provisioned with."""
