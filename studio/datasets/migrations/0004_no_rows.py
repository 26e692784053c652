"""Rows live in blocks now."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("datasets", "0003_rows_to_blocks")]

    operations = [migrations.DeleteModel(name="Row")]
