"""Whether the register can work: for load balancers and monitors."""

from django.conf import settings
from django.db import Error, connection
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.views.decorators.http import require_safe

from registry.upkeep.replica import replica


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200, or 503 if the database does not answer. Without a replica that is fit, the register still works."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        database = "ok"
    except Error:
        database = "away"
    state: dict[str, str | int] = {"database": database, "replica": "none"}
    if settings.DATABASE_REPLICA_URL:
        seen = "ok" if replica.has(0) else "not seen yet"
        state |= {"replica": replica.fault or seen, "replica_behind_seconds": round(replica.behind)}
    return JsonResponse(state, status=200 if database == "ok" else 503)


urlpatterns = [path("health", health, name="health")]
