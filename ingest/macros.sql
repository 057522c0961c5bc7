-- What every format says in the same words. Formats hand over text; this is where text is understood.

-- A count as whole number; NULL when the text is none (12.0 is one, 12.5 is not).
create macro whole(t) as case
    when contains(t, '.') and not regexp_full_match(t, '[+-]?\d+\.0*') then null
    else try_cast(t as bigint)
end;

-- An instant in UTC. Numbers are epoch seconds, milli-, micro- or nanoseconds: for any date since 2001 the four do not
-- overlap, so the size tells them apart without a guess. Text without a zone is read in the session's TimeZone.
create macro instant_of_number(n, t) as case
    when n between 1e9 and 1e10 then make_timestamp(cast(round(n * 1e6) as bigint))
    when n between 1e12 and 1e13 then make_timestamp(cast(n * 1000 as bigint))
    when n between 1e15 and 1e16 then make_timestamp(try_cast(t as bigint))
    when n between 1e18 and 1e19 then make_timestamp(try_cast(t as bigint) // 1000)
end;

create macro instant(t) as case
    when ends_with(t, 'Z') then try_cast(replace(t, ',', '.') as timestamp)
    when t is null then null
    when try_cast(t as double) is null then try_cast(replace(t, ',', '.') as timestamptz) at time zone 'UTC'
    else instant_of_number(try_cast(t as double), t)
end;

-- Does a written time leave its zone out?
create macro is_zoneless(t) as case
    when ends_with(t, 'Z') or try_cast(t as double) is not null then false
    else not regexp_matches(t, '(Z|z|UTC|GMT|[+-]\d\d(:?\d\d)?)\s*$')
end;

-- An id, or NULL for the words that loggers write when they have none; all of those are short.
create macro id(t) as case
    when strlen(t) > 12 then nullif(trim(t), '')
    when lower(trim(t)) in ('', '-', 'null', 'none', 'nil', 'undefined', 'unknown', 'n/a', 'na', '<synthetic>') then null
    else trim(t)
end;

create macro word(t) as nullif(trim(t), '');

-- A value inside text that may be an object; NULL when it is not.
create macro inside(t, path) as case when starts_with(t, '{') then try(json_extract_string(t, path)) end;

-- Anthropic's error.type. Python applications often log the SDK's exception class instead; anything longer than a name
-- may quote the request, so only the leading name is kept.
create macro error_of_class(name) as case
    when name = '' then 'unknown_error'
    else coalesce(map {
        'BadRequestError': 'invalid_request_error',
        'AuthenticationError': 'authentication_error',
        'PaymentRequiredError': 'billing_error',
        'PermissionDeniedError': 'permission_error',
        'NotFoundError': 'not_found_error',
        'ConflictError': 'conflict_error',
        'ContentTooLargeError': 'request_too_large',
        'RequestTooLargeError': 'request_too_large',
        'RateLimitError': 'rate_limit_error',
        'InternalServerError': 'api_error',
        'OverloadedError': 'overloaded_error',
        'GatewayTimeoutError': 'timeout_error',
        'DeadlineExceededError': 'timeout_error',
        'APITimeoutError': 'client_timeout_error',
        'APIConnectionError': 'connection_error'
    }[name], left(name, 64))
end;

create macro error_name(t) as error_of_class(regexp_extract(t, '([A-Za-z_]\w*)(?:[:( ]|$)', 1));

-- The type that goes with a status, where the log gives the status alone.
create macro error_of_status(status) as case status
    when 400 then 'invalid_request_error' when 401 then 'authentication_error' when 402 then 'billing_error'
    when 403 then 'permission_error' when 404 then 'not_found_error' when 409 then 'conflict_error'
    when 413 then 'request_too_large' when 429 then 'rate_limit_error' when 500 then 'api_error'
    when 504 then 'timeout_error' when 529 then 'overloaded_error'
    else case when status >= 400 then 'http_' || status end
end;

-- Anthropic's usage object, as the shape that json_transform reads.
create macro usage_shape() as '{
    "input_tokens": "VARCHAR", "output_tokens": "VARCHAR",
    "cache_creation_input_tokens": "VARCHAR", "cache_read_input_tokens": "VARCHAR",
    "cache_creation": {"ephemeral_5m_input_tokens": "VARCHAR", "ephemeral_1h_input_tokens": "VARCHAR"},
    "output_tokens_details": {"thinking_tokens": "VARCHAR"},
    "server_tool_use": {"web_search_requests": "VARCHAR"},
    "service_tier": "VARCHAR", "inference_geo": "VARCHAR", "speed": "VARCHAR", "iterations": "JSON"
}';

create macro iteration_shape() as '[{
    "type": "VARCHAR", "model": "VARCHAR", "input_tokens": "BIGINT", "output_tokens": "BIGINT",
    "cache_creation_input_tokens": "BIGINT", "cache_read_input_tokens": "BIGINT",
    "cache_creation": {"ephemeral_5m_input_tokens": "BIGINT", "ephemeral_1h_input_tokens": "BIGINT"}
}]';

-- Names of people become a keyed pseudonym: HMAC-SHA-256 (RFC 2104) under this installation's key, whose two padded
-- halves are given. What looks like a person: an e-mail address, a telephone number, a name in two words.
create macro looks_like_a_person(t) as
    contains(t, '@')
    or regexp_full_match(t, '\+\d[\d ()./-]{6,}|\(?\d{2,5}[)/ -]+[\d ()./-]{5,}')
    or regexp_full_match(t, '[A-ZÀ-ÖØ-Þ][\w''’À-ÿ-]+( [A-ZÀ-ÖØ-Þ][\w''’.À-ÿ-]*)+');

create macro pseudonym(t, inner_key, outer_key) as 'person_' || left(
    sha256(outer_key || unhex(sha256(inner_key || encode(lower(trim(t)))))), 20);

-- An API key that strayed into a field is never kept.
create macro without_secret(t) as case when contains(t, 'sk-ant-') then '(removed: looked like an API key)' else t end;

-- Text as it is kept, no longer than `longest`. (left() counts characters one by one; strlen is known.)
create macro kept(t, longest) as case
    when strlen(t) <= longest then without_secret(t)
    else left(without_secret(t), longest)
end;

-- An id as it is kept.
create macro tidy(t) as kept(id(t), 200);

-- A share between 0 and 1; NULL when the text is none.
create macro share(t) as case when try_cast(t as double) between 0 and 1 then try_cast(t as double) end;

-- For sources whose input tokens count cache reads and writes too: the input without them, and why it cannot be told.
create macro exclusive(input, cached) as case
    when whole(input) is null then input
    else cast(whole(input) - cached as varchar)
end;

create macro contradiction(input, cached) as case
    when whole(input) < cached then
        'the input tokens are fewer than the cached ones they should include: this source counts in another way'
end;

-- Seconds as milliseconds; what is no number stays as it is and is refused as such.
create macro milliseconds(t) as coalesce(cast(try_cast(t as double) * 1000 as varchar), t);

-- Cents as US dollars, exactly.
create macro dollars(t) as cast(try_cast(t as decimal(28, 12)) * 0.01 as varchar);

-- The first, or last, value at a path with a [*] inside a list of stream chunks; NULL when the text is no list.
create macro first_among(t, path) as case when starts_with(t, '[') then try(json_extract_string(t, path))[1] end;

create macro last_among(t, path) as case when starts_with(t, '[') then try(json_extract_string(t, path))[-1] end;

-- The value of `key` among tags written "key:value" in a JSON list.
create macro tagged(tags, key) as case when starts_with(tags, '[') then substr(
    list_filter(try(cast(json_transform(tags, '["VARCHAR"]') as varchar[])), lambda tag: starts_with(tag, key || ':'))[1],
    strlen(key) + 2)
end;

-- A time that its source writes in UTC without saying so.
create macro in_utc(t) as case when is_zoneless(t) then t || 'Z' else t end;

-- From one written time to another, in milliseconds; NULL when either is missing, or when they run backwards.
create macro between_ms(t, u) as case
    when instant(u) >= instant(t) then cast(date_diff('microsecond', instant(t), instant(u)) / 1000 as varchar)
end;

-- The name of an error inside text that may say anything: only the name is taken.
create macro error_in(t) as nullif(regexp_extract(t, '\b([a-z_]+_error|[A-Z]\w*(?:Error|Exception))\b', 1), '');

-- Where a gateway sent a request, by its name for the provider.
create macro platform_of(provider) as case
    when starts_with(lower(provider), 'bedrock') or lower(provider) in ('aws', 'amazon') then 'bedrock'
    when starts_with(lower(provider), 'vertex') or lower(provider) in ('google', 'gcp') then 'vertex'
    when starts_with(lower(provider), 'azure') then 'azure'
    when lower(provider) = 'anthropic' then 'anthropic'
end;
