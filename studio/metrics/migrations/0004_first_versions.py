"""Every metric that is there has a first version."""

from django.db import migrations


def first_versions(apps, schema_editor):
    metric, version = (
        apps.get_model("metrics", "Metric"),
        apps.get_model("metrics", "MetricVersion"),
    )
    for row in metric._base_manager.all():
        version._base_manager.create(
            metric=row, number=1, kind=row.kind, params=row.params, judge=row.judge
        )


class Migration(migrations.Migration):
    dependencies = [("metrics", "0003_versions")]

    operations = [migrations.RunPython(first_versions, elidable=False)]
