"""A Django application of one page, which tells who Django says is signed in; run by Debian's Python.

`people.py` beside it, and what SETTINGS holds, are the pages of docs/how-to.
"""

import json
import os
import sys

import django
from django.conf import settings
from django.core.management import call_command, execute_from_command_line
from django.http import JsonResponse
from django.urls import re_path

HERE = os.path.dirname(os.path.abspath(__file__))


def told(request):
    names = {name: value for name, value in request.META.items() if name.startswith("HTTP_")}
    return JsonResponse(
        {
            "user": request.user.get_username(),
            "last_name": getattr(request.user, "last_name", ""),
            # WSGI makes one character of each byte (PEP 3333).
            "headers": {name: value.encode("latin-1").hex() for name, value in names.items()},
        }
    )


urlpatterns = [re_path("", told)]

settings.configure(
    ALLOWED_HOSTS=["*"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(HERE, "people.sqlite")}},
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"],
    ROOT_URLCONF="site_of_the_tests",
    SECRET_KEY="of the tests",
    **json.loads(os.environ["SETTINGS"]),
)
sys.modules["site_of_the_tests"] = sys.modules[__name__]
django.setup()
call_command("migrate", verbosity=0)
execute_from_command_line(["manage.py", "runserver", "--noreload", sys.argv[1]])
