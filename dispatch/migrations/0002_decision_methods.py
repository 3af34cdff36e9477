from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('dispatch', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='decision',
            name='mode',
            field=models.CharField(choices=[('assignment', '最优分配'), ('c_mu', '按紧急度排序'), ('least_loaded', '负载最轻'), ('by_hand', '人工指定')], max_length=20, verbose_name='算法'),
        ),
    ]
