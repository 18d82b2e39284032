from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_used_signatures"),
    ]

    operations = [
        migrations.AddField(
            model_name="rotation",
            name="is_inactive_elsewhere",
            field=models.BooleanField(default=False),
        ),
    ]
