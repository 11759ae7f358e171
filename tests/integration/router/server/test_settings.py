"""Every setting does something: what a client sees with it and without, and a list that none is missing from."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import BaseModel

from router.settings import Settings
from router.telemetry import metrics_text
from tests.testkit.running_router import SECRET, RunningRouter, StartRouter, token
from tests.testkit.servers import Valkey
from tests.testkit.strawberry_shop import Shop

ANN = '{ user(id: "u1") { name } }'
JSON = {"content-type": "application/json"}
GRAPHQL = {"accept": "application/graphql-response+json"}
APP = {"origin": "https://app.example"}
RING = {"keys": [{"secret": SECRET}]}
TICKS = "subscription { ticks(count: 1000, pause: 0.02) { n } }"


@dataclass(frozen=True)
class Seen:
    """What a client gets."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def code(self) -> str | None:
        """Of the first error; None for a good answer."""
        errors = json.loads(self.body).get("errors") if self.body.startswith(b"{") else None
        code: str | None = errors[0]["extensions"]["code"] if errors else None
        return code


@dataclass(frozen=True)
class Change:
    """`pick` of the answer to the request is `before` with the defaults and `after` with `settings`."""

    settings: dict[str, Any]
    pick: Callable[[Seen], Any]
    before: Any
    after: Any
    query: str = ANN
    method: str = "POST"
    path: str = "/graphql"
    headers: dict[str, str] = field(default_factory=dict)
    body: dict[str, Any] | bytes | None = None
    base: dict[str, Any] = field(default_factory=dict)


def code(seen: Seen) -> str | None:
    return seen.code


def status(seen: Seen) -> int:
    return seen.status


def has(name: str) -> Callable[[Seen], bool]:
    return lambda seen: name in seen.headers


def value_of(name: str) -> Callable[[Seen], str | None]:
    return lambda seen: seen.headers.get(name)


def says(text: str) -> Callable[[Seen], bool]:
    return lambda seen: text in seen.body.decode()


def limits(**values: Any) -> dict[str, Any]:
    return {"limits": values}


def expiring(seconds: float, **claims: Any) -> dict[str, str]:
    return {"authorization": token(lifetime_seconds=seconds, **claims)}


PREFLIGHT = {**APP, "access-control-request-method": "POST"}
CORS = {"origins": ["https://app.example"]}
ME = "{ me { name } }"
TWO_DEEP = "{ products { owner { name } } }"
CHEAP = {"enabled": True, "max": 9}

CHANGES: dict[str, Change] = {
    "path": Change({"path": "/api"}, status, 200, 404),
    "allowed_hosts": Change({"allowed_hosts": ["api.example"]}, code, None, "MISDIRECTED_REQUEST"),
    "further_paths": Change({"further_paths": ["/api"]}, status, 404, 200, path="/api/"),
    "dev": Change(
        {"dev": True}, says("queryPlan"), False, True, headers={"x-query-plan": "1"}, query="{ products { name } }"
    ),
    "graphiql": Change({"graphiql": True}, status, 406, 200, method="GET", headers={"accept": "text/html"}),
    "workbench.title": Change(
        {"graphiql": True, "workbench": {"title": "The Shop"}}, says("The Shop"), False, True,
        method="GET", headers={"accept": "text/html"}, base={"graphiql": True},
    ),
    "introspection": Change({"introspection": False}, code, None, "INTROSPECTION_DISABLED", '{ __type(name: "A") { name } }'),
    "request_timeout_seconds": Change(
        {"request_timeout_seconds": 0.1}, code, None, "REQUEST_TIMEOUT", "{ slow(seconds: 0.4) }"
    ),
    "compress_from_bytes": Change(
        {"compress_from_bytes": 1}, has("content-encoding"), False, True, headers={"accept-encoding": "gzip"}
    ),
    "forward_headers": Change(
        {"forward_headers": ["x-tenant"]}, says("x-tenant: blue"), False, True, "{ headers }", headers={"x-tenant": "blue"}
    ),
    "override_labels": Change({"override_labels": {"moved": True}}, says('"inStock"'), True, False, "{ products { inStock } }"),
    "cors.origins": Change({"cors": CORS}, value_of("access-control-allow-origin"), None, APP["origin"], headers=APP),
    "cors.credentials": Change(
        {"cors": {**CORS, "credentials": True}},
        value_of("access-control-allow-credentials"), None, "true", headers=APP, base={"cors": CORS},
    ),
    "cors.request_headers": Change(
        {"cors": {**CORS, "request_headers": ["x-tenant"]}},
        lambda seen: "x-tenant" in seen.headers["access-control-allow-headers"], False, True,
        method="OPTIONS", headers=PREFLIGHT, base={"cors": CORS},
    ),
    "cors.response_headers": Change(
        {"cors": {**CORS, "response_headers": ["x-cost"]}},
        value_of("access-control-expose-headers"), "x-request-id", "x-cost", headers=APP, base={"cors": CORS},
    ),
    "cors.max_age_seconds": Change(
        {"cors": {**CORS, "max_age_seconds": 5}}, value_of("access-control-max-age"), "7200", "5",
        method="OPTIONS", headers=PREFLIGHT, base={"cors": CORS},
    ),
    "csrf.protect_get": Change({"csrf": {"protect_get": True}}, code, None, "CSRF_PREVENTION", method="GET"),
    "csrf.headers": Change(
        {"csrf": {"protect_get": True, "headers": ["x-mine"]}}, code, "CSRF_PREVENTION", None,
        method="GET", headers={"x-mine": "1"}, base={"csrf": {"protect_get": True}},
    ),
    "batching.enabled": Change(
        {"batching": {"enabled": True}}, status, 400, 200, body=b'[{"query":"{ __typename }"}]'
    ),
    "batching.max_size": Change(
        {"batching": {"enabled": True, "max_size": 1}}, code, None, "BATCH_TOO_LARGE",
        body=b'[{"query":"{ __typename }"},{"query":"{ __typename }"}]', base={"batching": {"enabled": True}},
    ),
    "jwt.keys": Change({"jwt": RING}, says("Ann"), False, True, ME, headers=expiring(36_000), base={"jwt": {"keys": [{"secret": "x" * 32}]}}),
    "jwt.algorithms": Change({"jwt": {**RING, "algorithms": ["HS512"]}}, says("Ann"), True, False, ME, headers=expiring(36_000), base={"jwt": RING}),
    "jwt.issuers": Change({"jwt": {**RING, "issuers": ["a"]}}, says("Ann"), True, False, ME, headers=expiring(36_000), base={"jwt": RING}),
    "jwt.audiences": Change({"jwt": {**RING, "audiences": ["a"]}}, says("Ann"), True, False, ME, headers=expiring(36_000), base={"jwt": {**RING, "audiences": ["shop"]}}),
    "jwt.leeway_seconds": Change({"jwt": {**RING, "leeway_seconds": 36_000, "audiences": ["shop"]}}, says("Ann"), False, True, ME, headers=expiring(-30), base={"jwt": {**RING, "audiences": ["shop"]}}),
    "jwt.required": Change({"jwt": {**RING, "required": True}}, code, None, "UNAUTHENTICATED"),
    "jwt.required_claims": Change(
        {"jwt": {**RING, "audiences": ["shop"], "required_claims": {"kind": "access"}}}, says("Ann"), True, False, ME,
        headers=expiring(36_000), base={"jwt": {**RING, "audiences": ["shop"]}},
    ),
    "limits.variable_values": Change(
        limits(variable_values=1), code, None, "VARIABLE_VALUE_LIMIT_EXCEEDED",
        body={"query": "query($a: Boolean!, $b: Boolean!) { a: __typename @skip(if: $a) b: __typename @skip(if: $b) }", "variables": {"a": False, "b": True}},
    ),
    "limits.tokens": Change(limits(tokens=5), code, None, "TOKEN_LIMIT_EXCEEDED"),
    "limits.depth": Change(limits(depth=2), code, None, "DEPTH_LIMIT_EXCEEDED", TWO_DEEP),
    "limits.aliases": Change(limits(aliases=1), code, None, "ALIAS_LIMIT_EXCEEDED", "{ a: __typename b: __typename }"),
    "limits.fields": Change(limits(fields=2), code, None, "FIELD_LIMIT_EXCEEDED", TWO_DEEP),
    "limits.root_fields": Change(limits(root_fields=1), code, None, "ROOT_FIELD_LIMIT_EXCEEDED", "{ token headers }"),
    "limits.directives": Change(limits(directives=0), code, None, "DIRECTIVE_LIMIT_EXCEEDED", "{ token @skip(if: true) headers }"),
    "limits.body_bytes": Change(limits(body_bytes=20), code, None, "REQUEST_TOO_LARGE"),
    "limits.url_bytes": Change(limits(url_bytes=20), code, None, "URI_TOO_LONG", method="GET"),
    "demand_control.max": Change(
        {"demand_control": {**CHEAP, "mode": "enforce"}}, code, None, "COST_ESTIMATED_TOO_EXPENSIVE",
        "{ products { name } }", base={"demand_control": {"enabled": True, "mode": "enforce"}},
    ),
    "demand_control.mode": Change(
        {"demand_control": {**CHEAP, "mode": "enforce"}}, code, None, "COST_ESTIMATED_TOO_EXPENSIVE",
        "{ products { name } }", base={"demand_control": CHEAP},
    ),
    "demand_control.enabled": Change(
        {"demand_control": {**CHEAP, "mode": "enforce"}}, code, None, "COST_ESTIMATED_TOO_EXPENSIVE",
        "{ products { name } }", base={"demand_control": {**CHEAP, "mode": "enforce", "enabled": False}},
    ),
    "demand_control.list_size": Change(
        {"demand_control": {**CHEAP, "mode": "enforce", "list_size": 2}}, code, "COST_ESTIMATED_TOO_EXPENSIVE", None,
        "{ products { name } }", base={"demand_control": {**CHEAP, "mode": "enforce"}},
    ),
    "persisted_documents.automatic": Change(
        {"persisted_documents": {"automatic": False}}, code, "PERSISTED_QUERY_NOT_FOUND", "PERSISTED_QUERY_REFUSED",
        body={"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "0" * 64}}},
    ),
    "subgraphs": Change(
        {"subgraphs": {"accounts": {"headers": {"x-key": "k"}}}}, says("x-key: k"), False, True, "{ headers }"
    ),
    "forward_client_address": Change(
        {"forward_client_address": True}, says("x-client-address: 127.0.0.1"), False, True, "{ headers }",
        headers={"x-client-address": "203.0.113.7"},
    ),
    "traffic_shaping.all": Change(
        {"traffic_shaping": {"all": {"timeout_seconds": 0.1}}}, code, None, "SUBGRAPH_TIMEOUT", "{ slow(seconds: 0.4) }"
    ),
    "traffic_shaping.subgraphs": Change(
        {"traffic_shaping": {"subgraphs": {"catalog": {"timeout_seconds": 0.1}}}}, code, None, "SUBGRAPH_TIMEOUT",
        "{ slow(seconds: 0.4) }",
    ),
    "subgraph_errors.all": Change(
        {"subgraph_errors": {"all": "redact"}}, says("out of order"), True, False, "{ broken }"
    ),
    "subgraph_errors.subgraphs": Change(
        {"subgraph_errors": {"subgraphs": {"catalog": "redact"}}}, says("out of order"), True, False, "{ broken }"
    ),
}  # fmt: skip

#: Settings that another test is about, by that test's name.
ELSEWHERE = {
    "workbench.description": "test_the_page_is_told_what_the_product_has_for_it",
    "workbench.sign_in": "test_nobody_can_be_signed_in_as_outside_of_development",
    "workbench.samples": "test_the_page_is_told_what_the_product_has_for_it",
    "workbench.links": "test_the_page_is_told_what_the_product_has_for_it",
    "workbench.sites": "test_a_front_end_is_served_beside_the_graph_in_development",
    "console.enabled": "test_the_console_is_there_in_development_only",
    "console.panels": "test_panels_of_the_product_are_shown_and_may_fail",
    "extensions": "test_each_stage_sees_the_request_and_may_change_it",
    "uploads.enabled": "test_uploads_are_off_unless_they_are_wanted",
    "uploads.max_bytes": "test_a_body_that_is_wrong_is_refused_with_a_code",
    "uploads.max_files": "test_a_body_that_is_wrong_is_refused_with_a_code",
    "uploads.memory_bytes": "test_memory_does_not_grow_with_what_is_uploaded",
    "uploads.disk_bytes": "test_without_room_on_disk_the_client_is_told_to_come_back",
    "headers.all.request": "test_defaults_stand_in_for_what_a_client_did_not_send",
    "headers.all.response": "test_headers_of_answers_come_back_by_rule",
    "headers.subgraphs": "test_each_subgraph_gets_the_headers_of_its_rules",
    "headers.aggregate_cache_control": "test_clients_get_the_aggregated_cache_control",
    "supergraph": "test_a_new_supergraph_is_served_without_losing_a_request",
    "watch": "test_a_new_supergraph_is_served_without_losing_a_request",
    "host": "test_the_file_is_overridden_by_the_environment_and_that_by_the_caller",
    "port": "test_workers_share_a_port_and_are_replaced_and_stopped",
    "workers": "test_workers_share_a_port_and_are_replaced_and_stopped",
    "redis_url": "test_the_rate_is_counted_in_redis_and_forgiven_without_it",
    "share_identical_requests": "test_equal_queries_at_the_same_time_run_once_and_callers_never_share",
    "jwt.previous_secrets": "test_secrets_rotated_out_come_in_one_variable",
    "jwt.ended_sessions": "test_a_token_of_an_ended_session_is_nobodys",
    "jwt.jwks": "test_public_keys_come_from_a_jwks_and_are_no_hmac_secrets",
    "management.port": "test_operators_paths_are_on_their_own_port_only",
    "management.host": "test_operators_paths_are_on_their_own_port_only",
    "tls": "test_router_and_subgraph_speak_tls_and_take_new_certificates_without_a_restart",
    "trusted_proxies": "test_nobody_else_notices",
    "limits.connections": "test_one_address_may_have_so_many_connections_and_those_it_has_go_on",
    "limits.connections_per_address": "test_one_address_may_have_so_many_connections_and_those_it_has_go_on",
    "limits.header_bytes": "test_a_head_without_end_is_refused",
    "limits.rate": "test_a_caller_over_the_rate_is_told_when_to_come_back",
    "limits.planning_timeout_seconds": "test_an_operation_that_takes_too_long_is_refused_and_the_next_one_served",
    "limits.planning_processes": "test_who_asks_much_keeps_nobody_else_waiting",
    "limits.response_bytes": "test_a_response_may_be_as_large_as_the_setting_says",
    "limits.fetched_bytes": "test_what_one_operation_fetches_is_bounded_and_the_rest_stands",
    "limits.cache_bytes": "test_caches_are_bounded_by_bytes",
    "persisted_documents.manifest": "test_only_trusted_documents_run_where_they_are_required",
    "persisted_documents.require": "test_only_trusted_documents_run_where_they_are_required",
    "entity_cache.enabled": "test_a_hit_costs_no_request_and_is_counted_by_type",
    "entity_cache.settling_seconds": "test_a_viewer_reads_past_what_was_kept_before_its_write",
    "entity_cache.key_prefix": "test_a_hit_costs_no_request_and_is_counted_by_type",
    "entity_cache.missing_max_age_seconds": "test_an_entity_that_its_subgraph_does_not_know_is_not_asked_for_again",
    "entity_cache.max_age_seconds": "test_nothing_is_kept_longer_than_the_settings_say",
    "entity_cache.invalidation.token": "test_who_may_not_tell_and_what_is_no_change_is_refused",
    "entity_cache.invalidation.topics": "test_records_of_a_topic_void_what_they_are_about",
    "entity_cache.invalidation.channels": "test_messages_of_a_channel_void_what_they_are_about",
    "entity_cache.default_max_age_seconds": "test_the_settings_say_what_is_kept",
    "entity_cache.max_bytes": "test_the_settings_say_what_is_kept",
    "entity_cache.max_entities": "test_the_settings_say_what_is_kept",
    "entity_cache.max_ages": "test_the_settings_say_what_is_kept",
    "entity_cache.subgraphs": "test_the_settings_say_what_is_kept",
    "broker_subscriptions.fields": "test_a_record_is_completed_by_the_subgraphs",
    "broker_subscriptions.max_waiting": "test_a_client_that_takes_too_slowly_is_told_or_loses_the_oldest",
    "broker_subscriptions.max_missed": "test_a_client_is_told_where_more_was_missed_than_is_told",
    "broker_subscriptions.when_full": "test_a_client_that_takes_too_slowly_is_told_or_loses_the_oldest",
    "persisted_documents.redis_key": "test_documents_come_from_redis_also_over_a_websocket",
    "persisted_documents.address": "test_documents_come_from_a_bucket",
    "persisted_documents.log_unknown": "test_unknown_texts_are_run_and_logged_where_that_is_the_mode",
    "shared_plans.enabled": "test_the_settings_turn_it_on",
    "shared_plans.ttl_seconds": "test_a_second_router_takes_the_plan_of_the_first",
    "shared_plans.key_prefix": "test_a_second_router_takes_the_plan_of_the_first",
    "shared_plans.max_bytes": "test_without_redis_and_beyond_the_bound_plans_are_made_as_ever",
    "warm_up.operations": "test_documents_are_planned_before_the_first_request_and_those_in_use_before_a_reload",
    "warm_up.seconds": "test_documents_are_planned_before_the_first_request_and_those_in_use_before_a_reload",
    "kafka": "test_records_of_a_topic_void_what_they_are_about",
    "coprocessor": "test_each_stage_is_told_what_it_is_about_and_nothing_changes_without_a_word",
    "usage_reporting.file": "test_operations_are_written_by_signature_and_client_without_their_values",
    "usage_reporting.otlp_endpoint": "test_operations_are_log_records_of_a_collector",
    "usage_reporting.topic": "test_operations_are_written_by_signature_and_client_without_their_values",
    "usage_reporting.interval_seconds": "test_operations_are_written_by_signature_and_client_without_their_values",
    "usage_reporting.max_file_bytes": "test_a_file_that_has_grown_too_large_begins_anew",
    "usage_reporting.max_operations": "test_so_many_different_operations_are_counted_in_an_interval",
    "drain_seconds": "test_a_leaving_router_loses_no_request_of_those_who_are_connected",
    "drain_idle_seconds": "test_a_leaving_router_loses_no_request_of_those_who_are_connected",
    "zone": "test_the_own_zone_is_preferred_while_enough_of_it_can_be_asked",
    "response_cache.settling_seconds": "test_a_write_is_seen_by_its_author_at_once_and_kept_again_later",
    "subscriptions.callback": "test_events_are_completed_by_other_subgraphs_and_the_end_is_told",
    "subscriptions.max_connections": "test_there_is_room_for_so_many_streams",
    "subscriptions.max_per_caller": "test_one_caller_has_so_many_subscriptions_over_all_its_connections",
    "subscriptions.heartbeat_seconds": "test_heartbeats_keep_a_quiet_stream_open",
    "subscriptions.init_timeout_seconds": "test_a_silent_client_runs_out_of_time",
    "subscriptions.max_event_bytes": "test_an_event_of_a_subgraph_has_its_bound",
    "subscriptions.max_message_bytes": "test_who_sends_too_much_over_a_websocket_is_closed",
    "telemetry.otlp_endpoint": "test_spans_of_an_operation_and_its_fetches_reach_a_collector",
    "telemetry.sample_ratio": "test_spans_of_an_operation_and_its_fetches_reach_a_collector",
}


async def seen(router: RunningRouter, change: Change) -> Seen:
    url = router.origin + change.path
    options: dict[str, Any] = {"headers": change.headers}
    if change.method == "GET":
        options["params"] = {"query": change.query}
    elif isinstance(change.body, bytes):
        options |= {"data": change.body, "headers": {**JSON, **change.headers}}
    else:
        options["json"] = change.body or {"query": change.query}
    async with router.session.request(change.method, url, **options) as response:
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Seen(response.status, headers, await response.read())


@pytest.mark.parametrize("setting", CHANGES)
async def test_it_changes_what_a_client_sees(
    start_router: StartRouter, shop: Shop, setting: str, tmp_path: Path
) -> None:
    change = CHANGES[setting]
    if setting == "override_labels":
        (tmp_path / "supergraph.graphql").write_text(_with_moved_stock(shop.supergraph))
    for settings, expected in ((change.base, change.before), ({**change.base, **change.settings}, change.after)):
        async with start_router(**settings) as router:
            assert change.pick(await seen(router, change)) == expected


def _with_moved_stock(supergraph: str) -> str:
    """`inStock` is to move to a subgraph that does not have it yet, which an active label makes visible."""
    here = "inStock: Int! @join__field(graph: STOCK)"
    assert here in supergraph
    return supergraph.replace("override: String,", "override: String, overrideLabel: String,").replace(
        here, here + ' @join__field(graph: CATALOG, override: "stock", overrideLabel: "moved")'
    )


async def test_connections_wait_for_streams_as_long_as_the_grace(start_router: StartRouter) -> None:
    async def seconds_to_stop(grace: float) -> float:
        async with start_router(shutdown_grace_seconds=grace) as router:
            door = router.app.door
            door.open_streams += 1  # one that does not end
            started = time.perf_counter()
            await door.close(router.app.settings.shutdown_grace_seconds)
            door.open_streams -= 1
            return time.perf_counter() - started

    assert await seconds_to_stop(0.1) < 1.9 <= await seconds_to_stop(2)


PROVEN_HERE = {
    "shutdown_grace_seconds",
    "jwt.jwks_refresh_seconds",
    "jwt.max_cached_tokens",
    "persisted_documents.ttl_seconds",
    "persisted_documents.max_in_memory",
    "response_cache.enabled",
    "response_cache.default_max_age_seconds",
    "response_cache.max_age_seconds",
    "response_cache.max_bytes",
    "response_cache.key_prefix",
    "subscriptions.max_per_connection",
    "telemetry.service_name",
    "telemetry.log_level",
    "telemetry.log_format",
    "telemetry.log_requests",
}


async def test_keys_of_a_jwks_are_read_again_after_their_time(start_router: StartRouter, tmp_path: Path) -> None:
    old, new = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in range(2))
    jwks = tmp_path / "jwks.json"

    def publish(key: rsa.RSAPrivateKey) -> None:
        public = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        jwks.write_text(json.dumps({"keys": [{**public, "kid": "same"}]}))

    authorization = "Bearer " + jwt.encode({"sub": "u1", "exp": 4_000_000_000}, new, "RS256", headers={"kid": "same"})
    for refresh_seconds, is_accepted in ((300.0, False), (0.1, True)):
        publish(old)
        async with start_router(jwt={"jwks": [str(jwks)], "jwks_refresh_seconds": refresh_seconds}) as router:
            publish(new)
            await asyncio.sleep(0.15)
            await router.ask(ME, authorization=authorization)  # finds the keys old, and does not wait for new ones
            await asyncio.sleep(0.05)
            answer = await router.ask(ME, authorization=authorization)  # whose key is unknown is nobody
            assert (answer["data"]["me"] is not None) is is_accepted


async def test_so_many_tokens_are_remembered(start_router: StartRouter) -> None:
    for most, remembered in ((2, 2), (0, 0)):
        async with start_router(jwt={**RING, "audiences": ["shop"], "max_cached_tokens": most}) as router:
            for subject in ("u1", "u2", "u3"):
                await router.ask("{ __typename }", authorization=token(subject))
            assert len(router.app.door.authenticator._verified) == remembered


async def test_registered_documents_are_bounded_in_memory_and_in_time(
    start_router: StartRouter, valkey: Valkey, tmp_path: Path
) -> None:
    async def known(router: RunningRouter, query: str, *, text: bool = False) -> bool:
        persisted = {"version": 1, "sha256Hash": sha256(query.encode()).hexdigest()}
        body: dict[str, Any] = {"extensions": {"persistedQuery": persisted}, **({"query": query} if text else {})}
        async with router.session.post(router.url, json=body) as response:
            return "errors" not in await response.json()

    first, second = "{ a: __typename }", "{ b: __typename }"
    async with start_router(persisted_documents={"max_in_memory": 1}) as router:
        await known(router, first, text=True)
        await known(router, second, text=True)
        assert (await known(router, first), await known(router, second)) == (False, True)
    shared: dict[str, Any] = {"redis_url": valkey.url, "response_cache": {"key_prefix": tmp_path.name}}
    async with start_router(**shared, persisted_documents={"ttl_seconds": 1}) as router:
        await known(router, first, text=True)
        async with start_router(**shared) as other:
            assert await known(other, first)
        await asyncio.sleep(1.1)
        async with start_router(**shared) as other:
            assert not await known(other, first)


@pytest.mark.parametrize(
    ("setting", "query", "requests"),
    [
        ({}, "{ products { name } }", 1),
        ({"enabled": False}, "{ products { name } }", 2),
        ({"max_age_seconds": 0}, "{ products { name } }", 2),
        ({"max_bytes": 5}, "{ products { name } }", 2),
        ({}, "{ slow(seconds: 0) }", 2),
        ({"default_max_age_seconds": 60}, "{ slow(seconds: 0) }", 1),
    ],
)
async def test_answers_are_kept_as_the_settings_say(
    start_router: StartRouter,
    valkey: Valkey,
    shop: Shop,
    tmp_path: Path,
    setting: dict[str, Any],
    query: str,
    requests: int,
) -> None:
    cache = {"key_prefix": f"{tmp_path.name}{setting}", **setting}
    async with start_router(redis_url=valkey.url, response_cache=cache) as router:
        await router.ask(query)
        await router.ask(query)
    assert shop.requests["catalog"] == requests


async def test_routers_of_another_prefix_share_nothing(
    start_router: StartRouter, valkey: Valkey, shop: Shop, tmp_path: Path
) -> None:
    for prefix in ("a", "b", "a"):
        async with start_router(
            redis_url=valkey.url, response_cache={"key_prefix": f"{tmp_path.name}{prefix}"}
        ) as router:
            await router.ask("{ products { name } }")
    assert shop.requests["catalog"] == 2


@pytest.fixture
async def socket(start_router: StartRouter) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
    async with (
        start_router(subscriptions={"max_per_connection": 1, "max_message_bytes": 500}) as router,
        router.session.ws_connect(router.url, protocols=("graphql-transport-ws",)) as opened,
    ):
        await opened.send_json({"type": "connection_init"})
        await opened.receive_json(timeout=60)
        yield opened


async def test_one_connection_holds_so_many_operations(socket: aiohttp.ClientWebSocketResponse) -> None:
    for number in ("1", "2"):
        await socket.send_json({"id": number, "type": "subscribe", "payload": {"query": TICKS}})
    async with asyncio.timeout(60):
        while (message := await socket.receive_json())["type"] != "error":
            assert message["id"] == "1"
    assert message["id"] == "2"


async def test_who_sends_too_much_over_a_websocket_is_closed(socket: aiohttp.ClientWebSocketResponse) -> None:
    await socket.send_json({"id": "1", "type": "subscribe", "payload": {"query": "{ __typename }" + " " * 500}})
    message = await socket.receive(timeout=60)
    assert (message.type, socket.close_code) == (aiohttp.WSMsgType.CLOSE, 1009)


async def test_subscriptions_may_have_an_address_and_a_protocol_of_their_own(
    start_router: StartRouter, shop: Shop
) -> None:
    query = "subscription { ticks(count: 1) { n } }"
    away, here = "http://127.0.0.1:1/graphql", f"ws://127.0.0.1:{shop.ports['catalog']}/graphql"
    for catalog, is_answered in (
        ({"url": away}, False),
        ({"url": away, "subscription_url": here}, True),
        ({"subscription_protocol": "event-stream"}, False),  # which the shop does not speak
        ({}, True),
    ):
        async with (
            start_router(subgraphs={"catalog": catalog}) as router,
            router.session.post(router.url, json={"query": query}, headers={"accept": "text/event-stream"}) as response,
        ):
            assert ('{"data":{"ticks":{"n":0}}}' in await response.text()) is is_answered


async def test_metrics_carry_the_services_name(start_router: StartRouter) -> None:
    async with start_router(telemetry={"service_name": "edge-7", "log_level": "error"}) as router:
        await router.ask("{ __typename }")
    assert 'service="edge-7"' in metrics_text().decode()


@pytest.mark.parametrize(
    ("telemetry", "is_logged"),
    [
        ({"log_level": "info"}, '"event":"request"'),
        ({"log_level": "info", "log_format": "console"}, "request  "),
        ({"log_level": "info", "log_requests": False}, None),
        ({"log_level": "warning"}, None),
    ],
)
async def test_requests_are_logged_as_the_settings_say(
    start_router: StartRouter, capsys: pytest.CaptureFixture[str], telemetry: dict[str, Any], is_logged: str | None
) -> None:
    async with start_router(telemetry=telemetry) as router:
        capsys.readouterr()
        await router.ask("query Named { __typename }")
    lines = [line for line in capsys.readouterr().out.splitlines() if "Named" in line]
    assert bool(lines) is (is_logged is not None)
    assert is_logged is None or is_logged in lines[0]


async def test_a_person_reads_what_an_operation_took_and_which_errors_it_had(
    start_router: StartRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    async with start_router(telemetry={"log_level": "info", "log_format": "console"}) as router:
        capsys.readouterr()
        await router.ask("query Named { products { name inStock owner { name email } } }")
        body = {"query": "{ __typename", "operationName": "over\x1b[2Jthe line"}
        async with router.session.post(router.url, json=body) as response:
            await response.read()
        async with router.session.get(router.url, headers={"accept": "text/html"}) as response:
            await response.read()
    named, broken = [line for line in capsys.readouterr().out.splitlines() if line.startswith("request")]
    assert re.fullmatch(r"request  query Named +[\d.]+ ms  3 fetches  200 2 errors: UNAUTHENTICATED", named)
    assert re.fullmatch(r"request  query over\[2Jthe line +[\d.]+ ms  \d+ 1 errors: GRAPHQL_PARSE_FAILED", broken)


def _leaves(model: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, info in model.model_fields.items():
        inner = info.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel) and before + name != "traffic_shaping.all":
            yield from _leaves(inner, f"{before}{name}.")
        else:
            yield before + name


def test_no_setting_is_missing_here() -> None:
    assert set(_leaves(Settings)) == CHANGES.keys() | ELSEWHERE.keys() | PROVEN_HERE
    tests = "".join(file.read_text() for file in Path(__file__).parents[3].rglob("test_*.py"))
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []
