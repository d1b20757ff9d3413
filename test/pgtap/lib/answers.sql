-- Whether what makes it fast changes an answer: the rows of a query, and the
-- requests for them.  No time is asserted, only rows, which requests were made,
-- and how many at once.

-- the requests so far, sorted
CREATE FUNCTION asked(process text DEFAULT 'main') RETURNS text[]
LANGUAGE sql AS $$
	SELECT coalesce(array_agg(r ORDER BY r), '{}') FROM unnest(sim_requests(process)) r
$$;

-- the most of them that were under way at a time
CREATE FUNCTION at_once(process text DEFAULT 'main') RETURNS int
LANGUAGE sql AS $$
	SELECT max(concurrent) FROM sim_log(process)
$$;

-- a query's rows, in order
CREATE FUNCTION rows_of(query text) RETURNS text[]
LANGUAGE plpgsql AS $$
DECLARE
	result text[];
BEGIN
	EXECUTE format('SELECT coalesce(array_agg(q::text), ''{}'') FROM (%s) q', query) INTO result;
	RETURN result;
END
$$;

-- two queries that must give the same rows in the same order
CREATE FUNCTION same(query text, other text, description text) RETURNS text
LANGUAGE plpgsql AS $$
BEGIN
	RETURN is(rows_of(query), rows_of(other), description);
END
$$;
